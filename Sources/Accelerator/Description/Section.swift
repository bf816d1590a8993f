import enum Networks.NearNames
import Yams

/// A mapping of a description while it is read: what is wrong is collected, not thrown, so that
/// users see all mistakes at once.
final class Section {
    /// What is found out while all sections of a description are read.
    final class Findings {
        var problems: [String] = []
        var calibrations: [CalibratedParameter] = []

        /// - Throws: ``AcceleratorError`` `.invalidDescription` with all problems.
        func check(_ name: String?) throws {
            guard problems.isEmpty else {
                throw AcceleratorError(.invalidDescription, problems, path: name)
            }
        }
    }

    let findings: Findings
    /// The path of the section's own key, empty for the whole description.
    let path: String
    private let mapping: [(key: String, node: Yams.Node)]
    private var asked: [String] = []

    init(_ node: Yams.Node, path: String, findings: Findings) {
        self.findings = findings
        self.path = path
        var mapping: [(key: String, node: Yams.Node)] = []
        if let pairs = node.mapping {
            for (key, value) in pairs {
                let name = key.scalar?.string ?? "?"
                if mapping.contains(where: { $0.key == name }) {
                    findings.problems.append("\(Self.join(path, name)): it is there twice")
                }
                mapping.append((name, value))
            }
        } else {
            findings.problems.append("\(path.isEmpty ? "it" : path): expected 'key: value' lines")
        }
        self.mapping = mapping
    }

    private static func join(_ path: String, _ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    func problem(_ key: String, _ message: String) {
        findings.problems.append("\(Self.join(path, key)): \(message)")
    }

    /// The keys there are.
    var keys: [String] { mapping.map(\.key) }

    func has(_ key: String) -> Bool { mapping.contains { $0.key == key } }

    func node(_ key: String) -> Yams.Node? {
        asked.append(key)
        return mapping.first { $0.key == key }?.node
    }

    func section(_ key: String) -> Section? {
        node(key).map { Section($0, path: Self.join(path, key), findings: findings) }
    }

    func text(_ key: String) -> String? {
        guard let node = node(key) else { return nil }
        guard let text = node.scalar?.string else {
            problem(key, "expected a word")
            return nil
        }
        return text
    }

    /// A number, written as `8` or as `{value: 8, calibrated: "why"}`.
    func number(_ key: String, in range: ClosedRange<Double>, whole: Bool = false) -> Double? {
        guard let node = node(key) else { return nil }
        guard node.mapping != nil else {
            return checked(node, key, range, whole)
        }
        let inner = Section(node, path: Self.join(path, key), findings: findings)
        let value = inner.node("value").flatMap { checked($0, key, range, whole) }
        let reason = inner.text("calibrated")
        if !inner.has("value") { inner.problem("value", "missing") }
        if let reason, let value {
            findings.calibrations.append(
                CalibratedParameter(path: inner.path, value: value, reason: reason))
        } else if !inner.has("calibrated") {
            inner.problem("calibrated", "missing: say why this value was chosen")
        }
        inner.finish()
        return value
    }

    private func checked(
        _ node: Yams.Node, _ key: String, _ range: ClosedRange<Double>, _ whole: Bool
    ) -> Double? {
        let found = node.scalar?.string ?? "a list"
        guard let number = node.float ?? node.int.map(Double.init), number.isFinite else {
            problem(key, "expected a number, found '\(found)'")
            return nil
        }
        guard range.contains(number), !whole || number == number.rounded() else {
            let kind = whole ? "a whole number" : "a number"
            problem(
                key,
                "expected \(kind) from \(short(range.lowerBound)) to "
                    + "\(short(range.upperBound)), found \(found)")
            return nil
        }
        return number
    }

    private func short(_ value: Double) -> String {
        Int(exactly: value).map { String($0) } ?? String(value)
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        guard let text = text(key) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        problem(
            key,
            "there is no '\(text)'" + NearNames.hint(text, among: names) + "; there are "
                + names.joined(separator: ", "))
        return nil
    }

    /// Notes that a key which has to be there is not.
    func require(_ key: String) {
        if !has(key) { problem(key, "missing") }
    }

    /// Notes the keys that nobody asked for.
    func finish() {
        for key in keys where !asked.contains(key) {
            problem(key, "there is no such key" + NearNames.hint(key, among: asked))
        }
    }
}
