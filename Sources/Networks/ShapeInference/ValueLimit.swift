/// How large a value of a network may be.
///
/// Far above what anyone runs, and so far below the largest `Int` that products of sizes and strides
/// of a checked shape never overflow.
package enum ValueLimit {
    /// Elements of a value.
    package static let elements = 1 << 33
    /// Dimensions of a value.
    package static let dimensions = 32
    /// A size, stride, dilation or padding of a window: two of them can be multiplied.
    package static let window = 1 << 30

    /// Checks the shape of a value.
    ///
    /// - Throws: ``NetworkError`` `.tooLarge`, or `.shapeMismatch` for a negative dimension.
    package static func check(_ shape: [Int]) throws {
        guard shape.count <= dimensions else {
            throw NetworkError(
                .tooLarge, "a value of \(shape.count) dimensions, at most \(dimensions) can be had")
        }
        var count = 1
        for size in shape {
            guard size >= 0 else {
                throw NetworkError(.shapeMismatch, "the shape \(shape) has a negative dimension")
            }
            // An empty dimension counts as one, so that the others stay bounded too.
            let (product, overflow) = count.multipliedReportingOverflow(by: max(size, 1))
            guard !overflow, product <= elements else {
                throw NetworkError(
                    .tooLarge, "the shape \(shape) has more than \(elements) elements")
            }
            count = product
        }
    }
}
