internal import DenseMath
internal import Networks

/// Which elements of its operands an operation that only moves elements takes.
///
/// Found by running the operation on the numbers of the elements instead of their values.
enum ElementIndexes {
    /// For each element of the broadcast value, which of the original it is.
    static func broadcast(_ shape: [Int], to result: [Int]) throws -> [Int] {
        guard shape != result else { return Array(0..<result.reduce(1, *)) }
        let shapeTensor = Tensor(shape: [result.count], integers: result.map(Int64.init))
        let info = ValueInfo(.int64, [result.count], constant: shapeTensor)
        return try Operation.expand.evaluated(
            [numbered(shape, from: 0), info], as: [ValueInfo(.int64, result)]
        )[0].integers.map(Int.init)
    }

    /// For each result and each of its elements, which it is of all elements of the moved operands
    /// in a row; -1 for one that is of none.
    ///
    /// - Parameters:
    ///   - operands: those that are moved without values, the others with theirs.
    static func moved(
        _ operation: Operation, _ operands: [ValueInfo?], results: Int
    ) throws -> [[Int]] {
        var first = 0
        let inputs = operands.map { operand -> ValueInfo? in
            guard let operand, operand.constant == nil else { return operand }
            defer { first += operand.shape.reduce(1, *) }
            return numbered(operand.shape, from: first)
        }
        return try operation.evaluated(
            inputs, as: operation.results(of: inputs, count: results)
        ).map { $0.integers.map(Int.init) }
    }

    private static func numbered(_ shape: [Int], from first: Int) -> ValueInfo {
        let count = shape.reduce(1, *)
        return ValueInfo(
            .int64, shape,
            constant: Tensor(shape: shape, integers: (first..<(first + count)).map(Int64.init)))
    }
}
