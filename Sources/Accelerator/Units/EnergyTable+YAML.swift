import enum Networks.NearNames
import Yams

extension EnergyTable {
    /// Reads a table:
    ///
    /// ```yaml
    /// name: mine
    /// units:
    ///   dram: {pj: 100, source: "where it is from"}       # a byte
    ///   sram:                                             # a byte of a macro of so many bytes
    ///     - {bytes: 2048, read: 1.4, write: 1.6, source: "..."}
    ///   register: {pj: {value: 0.02, calibrated: "why"}, source: "..."}
    ///   mac8: {pj: 0.143, source: "..."}                  # an operation
    /// ```
    ///
    /// - Throws: ``AcceleratorError`` `.invalidDescription` with all mistakes.
    public init(yaml text: String) throws {
        let findings = Section.Findings()
        let root = try Yams.Node.description(text)
        let table = EnergyTable(Section(root, path: "", findings: findings))
        try findings.check(table.name)
        self = table
    }

    /// Reads a table; what is wrong is noted in the section's findings.
    init(_ section: Section) {
        let findings = section.findings
        let before = findings.calibrations.count
        name = section.text("name") ?? ""
        section.require("name")
        about = section.text("about") ?? ""
        var rows: [EnergyUnit: Row] = [:]
        var buffers: [BufferRow] = []
        section.require("units")
        if let units = section.section("units") {
            for unit in EnergyUnit.all {
                guard let row = units.section(unit.name) else { continue }
                let price = row.number("pj", in: 0...1e9)
                let source = row.text("source")
                row.require("pj")
                row.require("source")
                row.finish()
                if let price, let source { rows[unit] = Row(picojoules: price, source: source) }
            }
            buffers = Self.buffers(units)
            units.finish()
        }
        section.finish()
        self.rows = rows
        self.buffers = buffers
        calibrations = Array(findings.calibrations[before...])
    }

    private static func buffers(_ units: Section) -> [BufferRow] {
        guard let list = units.node("sram") else { return [] }
        guard let sequence = list.sequence, !sequence.isEmpty else {
            units.problem("sram", "expected a list of macros, each {bytes, read, write, source}")
            return []
        }
        var rows: [BufferRow] = []
        for (index, node) in sequence.enumerated() {
            let row = Section(
                node, path: "\(units.path).sram[\(index)]", findings: units.findings)
            let bytes = row.number("bytes", in: 1...1e15)
            let read = row.number("read", in: 0...1e9)
            let write = row.number("write", in: 0...1e9)
            let source = row.text("source")
            for key in ["bytes", "read", "write", "source"] { row.require(key) }
            row.finish()
            if let bytes, let read, let write, let source {
                if let last = rows.last, last.bytes >= bytes {
                    row.problem("bytes", "macros have to be in rising order of size")
                }
                rows.append(BufferRow(bytes: bytes, read: read, write: write, source: source))
            }
        }
        return rows
    }

    /// The names of the built-in tables.
    public static var names: [String] { builtIn.map(\.name) }

    /// The YAML text of a built-in table.
    ///
    /// - Throws: ``AcceleratorError`` `.unknownPreset` with near names.
    public static func text(named name: String) throws -> String {
        guard let found = builtIn.first(where: { $0.name == name }) else {
            throw AcceleratorError(
                .unknownPreset,
                [
                    "there is no energy table '\(name)'" + NearNames.hint(name, among: names)
                        + "; there are " + names.joined(separator: ", ")
                ])
        }
        return found.yaml
    }

    /// A built-in table.
    ///
    /// - Throws: ``AcceleratorError`` `.unknownPreset` with near names.
    public static func named(_ name: String) throws -> EnergyTable {
        if let table = parsed[name] { return table }
        return try EnergyTable(yaml: text(named: name))
    }

    /// Read once: sweeps ask for the same table thousands of times.
    private static let parsed = Dictionary(
        uniqueKeysWithValues: builtIn.compactMap { table in
            (try? EnergyTable(yaml: table.yaml)).map { (table.name, $0) }
        })
}

extension Yams.Node {
    /// The root of a description.
    ///
    /// - Throws: ``AcceleratorError`` `.invalidDescription` when it is not YAML, or empty.
    static func description(_ text: String) throws -> Yams.Node {
        do {
            if let root = try Yams.compose(yaml: text) { return root }
        } catch {
            throw AcceleratorError(.invalidDescription, ["it is not YAML: \(error)"])
        }
        throw AcceleratorError(.invalidDescription, ["it is empty"])
    }
}
