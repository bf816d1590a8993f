import Decomposition
import DenseMath
import ModelFiles
import PowerOfTwo

extension ModelDocument.Tensor {
    /// Bits of an element; 0 where its type has no fixed size.
    var bitsPerElement: Double { Double(elementType?.bitCount ?? 0) }
}

extension ModelDocument {
    /// A dense weight as compression reads it, filter by filter, straight from the file.
    func weightTensor(_ tensor: Tensor) -> WeightTensor {
        let isTransposed = tensor.use?.isTransposed == true
        return WeightTensor(
            name: tensor.name, shape: tensor.weightShape, kind: LayerKind(tensor)
        ) { filters, out in
            let floats =
                isTransposed ? columns(filters, of: tensor) : denseRows(filters, of: tensor)
            _ = out.update(fromContentsOf: floats)
        }
    }

    /// Reads some of the outermost rows of a tensor, dense or packed, as floats.
    ///
    /// - Throws: ``ModelFileError`` `.invalidPackedWeight`.
    func rowReader(of tensor: Tensor) throws -> @Sendable (Range<Int>) -> [Float] {
        guard tensor.isPacked else { return { denseRows($0, of: tensor) } }
        let parameter = try parameter(of: tensor)
        guard parameter.isTransposed else { return { parameter.weight.rebuilt(filters: $0) } }
        let length = tensor.shape[1]
        let whole = parameter.rebuilt()
        return { rows in
            whole.withFloats { floats in
                Array(floats[(rows.lowerBound * length)..<(rows.upperBound * length)])
            }
        }
    }

    private func denseRows(_ rows: Range<Int>, of tensor: Tensor) -> [Float] {
        guard let type = tensor.elementType else { return [] }
        let length = tensor.shape.dropFirst().reduce(1, *) * type.bitCount / 8
        return withBytes(of: tensor) { bytes in
            let range = (rows.lowerBound * length)..<(rows.upperBound * length)
            return WeightConversion.floats(
                from: UnsafeRawBufferPointer(rebasing: bytes[range]), as: type)
        }
    }

    /// Some columns of a matrix, one after another.
    private func columns(_ columns: Range<Int>, of tensor: Tensor) -> [Float] {
        guard let type = tensor.elementType else { return [] }
        let size = type.bitCount / 8
        let (rows, stride) = (tensor.shape[0], tensor.shape[1] * size)
        let segment = columns.count * size
        let gathered = withBytes(of: tensor) { bytes in
            [UInt8](unsafeUninitializedCapacity: rows * segment) { buffer, count in
                let target = UnsafeMutableRawBufferPointer(buffer)
                for row in 0..<rows {
                    let begin = row * stride + columns.lowerBound * size
                    let from = UnsafeRawBufferPointer(rebasing: bytes[begin..<(begin + segment)])
                    UnsafeMutableRawBufferPointer(
                        rebasing: target[(row * segment)..<((row + 1) * segment)]
                    ).copyMemory(from: from)
                }
                count = rows * segment
            }
        }
        let floats = gathered.withUnsafeBytes { WeightConversion.floats(from: $0, as: type) }
        return [Float](unsafeUninitializedCapacity: floats.count) { out, count in
            for row in 0..<rows {
                for column in 0..<columns.count {
                    out.initializeElement(
                        at: column * rows + row, to: floats[row * columns.count + column])
                }
            }
            count = floats.count
        }
    }
}
