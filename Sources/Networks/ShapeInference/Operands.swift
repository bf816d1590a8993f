internal import DenseMath

/// The inputs of a node as far as they are known before it runs.
struct Operands {
    private let values: [ValueInfo?]

    init(_ values: [ValueInfo?]) {
        self.values = values
    }

    var count: Int { values.count }

    /// The input at `index`, or nil when it is left out.
    func optional(_ index: Int) -> ValueInfo? {
        index < values.count ? values[index] : nil
    }

    /// The input at `index`.
    ///
    /// - Throws: ``NetworkError`` `.invalidNode` when it is left out.
    func required(_ index: Int) throws -> ValueInfo {
        guard let value = optional(index) else {
            throw NetworkError(.invalidNode, "input \(index) is missing")
        }
        return value
    }

    /// The input at `index`, which must hold floats.
    func floats(_ index: Int) throws -> ValueInfo { try required(index, .float32) }

    /// The input at `index`, which must hold integers.
    func integers(_ index: Int) throws -> ValueInfo { try required(index, .int64) }

    private func required(_ index: Int, _ kind: Tensor.Kind) throws -> ValueInfo {
        let value = try required(index)
        guard value.elementType.kind == kind else {
            throw NetworkError(
                .invalidNode,
                "input \(index) must hold \(kind == .float32 ? "floats" : "integers"), found "
                    + value.elementType.rawValue)
        }
        return value
    }

    /// The integers that the input at `index` lists.
    ///
    /// - Throws: ``NetworkError`` `.unsupportedOperator` when they are not known before the network
    ///   runs.
    func list(_ index: Int) throws -> [Int] {
        let value = try integers(index)
        guard value.shape.count <= 1 else {
            throw NetworkError(
                .shapeMismatch, "input \(index) must be a list, found \(value.shape)")
        }
        guard let constant = value.constant else { throw Self.unknown(index) }
        return constant.integers.map { Int($0) }
    }

    /// The integers that the input at `index` lists, or nil when it is left out.
    func optionalList(_ index: Int) throws -> [Int]? {
        optional(index) == nil ? nil : try list(index)
    }

    /// The one number that the input at `index` is.
    func scalar(_ index: Int) throws -> Tensor {
        let value = try required(index)
        guard value.shape.allSatisfy({ $0 == 1 }) else {
            throw NetworkError(
                .shapeMismatch, "input \(index) must be one number, found \(value.shape)")
        }
        guard let constant = value.constant else { throw Self.unknown(index) }
        return constant
    }

    private static func unknown(_ index: Int) -> NetworkError {
        NetworkError(
            .unsupportedOperator,
            "input \(index) decides about the shape and depends on the elements of the network's "
                + "inputs")
    }

    /// The type that the inputs at `indexes` have in common.
    ///
    /// Integers of two types are let through: parameters do not say which integers they hold, so
    /// that the type of the other one counts.
    func commonType(_ indexes: some Sequence<Int>) throws -> ScalarType {
        var result: ScalarType?
        for index in indexes {
            let type = try required(index).elementType
            guard let known = result else {
                result = type
                continue
            }
            guard known.kind == type.kind else {
                throw NetworkError(
                    .invalidNode,
                    "inputs must have the same type, found \(known.rawValue) and \(type.rawValue)")
            }
            if known == .int64 { result = type }
        }
        return result ?? .float32
    }
}
