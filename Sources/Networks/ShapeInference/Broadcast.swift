/// Operands of different shapes brought to one, as NumPy does: aligned at the last dimension, where a
/// missing dimension or one of size 1 is repeated.
package struct Broadcast: Sendable, Equatable {
    /// The shape of the result.
    package let shape: [Int]
    /// For each operand the elements it moves on when the result moves on by one along each
    /// dimension; 0 where it is repeated.
    package let strides: [[Int]]

    /// - Throws: ``NetworkError`` `.shapeMismatch` naming the shapes, or `.tooLarge`.
    package init(_ operands: [[Int]]) throws {
        let rank = operands.reduce(0) { max($0, $1.count) }
        var shape = [Int](repeating: 1, count: rank)
        for operand in operands {
            for (dimension, size) in zip((rank - operand.count)..<rank, operand) where size != 1 {
                guard shape[dimension] == 1 || shape[dimension] == size else {
                    let list = operands.prefix(8).map { "\($0.prefix(ValueLimit.dimensions))" }
                    throw NetworkError(
                        .shapeMismatch,
                        "the shapes \(list.joined(separator: " and ")) cannot be broadcast to one")
                }
                shape[dimension] = size
            }
        }
        try ValueLimit.check(shape)
        self.shape = shape
        strides = operands.map { operand in
            let missing = [Int](repeating: 0, count: rank - operand.count)
            return missing
                + zip(operand, rowMajorStrides(operand)).map { $0 == 1 ? 0 : $1 }
        }
    }

    /// Checks that `operand` can be repeated to `shape`, which stays as it is.
    ///
    /// - Throws: ``NetworkError`` `.shapeMismatch` naming the shapes and `role`.
    package static func check(_ operand: [Int], fits shape: [Int], _ role: String) throws {
        guard let result = try? Broadcast([operand, shape]), result.shape == shape else {
            throw NetworkError(
                .shapeMismatch, "\(role) \(operand) cannot be broadcast to \(shape)")
        }
    }
}
