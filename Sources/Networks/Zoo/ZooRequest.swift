/// What a specification such as `resnet20@1x28x28/10` asks for.
struct ZooRequest {
    let entry: Zoo.Entry
    /// `[C, H, W]`.
    let input: [Int]
    let classes: Int

    private static let channelLimit = 1 << 12
    private static let sizeLimit = 1 << 13
    private static let classLimit = 100_000

    /// - Throws: ``NetworkError`` naming the part that is wrong.
    init(_ specification: String) throws {
        let head = specification.prefix { $0 != "@" && $0 != "/" }
        let rest = specification[head.endIndex...]
        let inputText = rest.first == "@" ? rest.dropFirst().prefix { $0 != "/" } : nil
        let classText = rest.firstIndex(of: "/").map { rest[rest.index(after: $0)...] }

        guard let entry = Zoo.entries.first(where: { $0.name == head }) else {
            throw NetworkError(
                .unknownNetwork,
                "there is no built-in network '\(head)'"
                    + NearNames.hint(String(head), among: Zoo.names) + "; there are "
                    + Zoo.names.joined(separator: ", "))
        }
        func number(_ text: Substring, _ what: String, _ limit: Int) throws -> Int {
            guard text.allSatisfy({ "0"..."9" ~= $0 }), let number = Int(text),
                1...limit ~= number
            else {
                throw NetworkError(
                    .unknownNetwork,
                    "the \(what) '\(text)' of '\(specification)' is no number from 1 to \(limit)")
            }
            return number
        }
        self.entry = entry
        classes =
            try classText.map {
                try number($0, "number of classes", Self.classLimit)
            } ?? entry.classes
        guard let inputText else {
            input = entry.input
            return
        }
        let parts = inputText.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw NetworkError(
                .unknownNetwork,
                "the input '\(inputText)' of '\(specification)' is not CxHxW, such as 3x224x224")
        }
        input = [
            try number(parts[0], "number of channels", Self.channelLimit),
            try number(parts[1], "height", Self.sizeLimit),
            try number(parts[2], "width", Self.sizeLimit),
        ]
    }
}
