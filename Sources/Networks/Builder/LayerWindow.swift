/// A square window that moves over an image, of a convolution or a pooling.
struct LayerWindow {
    let kernelSize: Int
    let stride: Int
    let dilation: Int
    let padding: Operation.SpatialPadding

    /// `[height, width]` of what it gives.
    ///
    /// - Throws: ``NetworkError`` if a number is out of range or the window larger than the image.
    func outputSize(_ height: Int, _ width: Int, in node: String) throws -> [Int] {
        try NetworkDraft.check("kernel size", kernelSize, in: node)
        try NetworkDraft.check("stride", stride, in: node)
        try NetworkDraft.check("dilation", dilation, in: node)
        guard case .explicit(let begin, let end) = padding else {
            return [height, width].map { ($0 + stride - 1) / stride }
        }
        guard begin.count == end.count, [0, 2].contains(begin.count) else {
            throw NetworkError(
                .invalidNode, "its padding is \(begin) and \(end); it takes two numbers each",
                node: node)
        }
        for number in begin + end {
            try NetworkDraft.check("padding", number, least: 0, in: node)
        }
        let extent = (kernelSize - 1) * dilation + 1
        return try [height, width].enumerated().map { axis, size in
            let padded = size + (begin.isEmpty ? 0 : begin[axis] + end[axis])
            guard padded >= extent else {
                throw NetworkError(
                    .shapeMismatch,
                    "its window of \(extent) does not fit in an image of \(height)x\(width)"
                        + (padded > size ? ", padded to \(padded)" : ""), node: node)
            }
            return (padded - extent) / stride + 1
        }
    }
}
