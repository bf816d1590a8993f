public import DenseMath
public import PowerOfTwo

/// A constant of a network.
public enum Parameter: Sendable {
    /// All elements, as they are.
    case dense(Tensor)
    /// Symbols, masks, basis and scales: W = Ce B.
    case smartDeal(CompressedParameter)

    /// The shape of the dense tensor.
    public var shape: [Int] {
        switch self {
        case .dense(let tensor): tensor.shape
        case .smartDeal(let parameter): parameter.shape
        }
    }

    /// What the elements of the dense tensor are.
    public var kind: Tensor.Kind {
        switch self {
        case .dense(let tensor): tensor.kind
        case .smartDeal: .float32
        }
    }

    /// Bytes as it is kept: for a compressed one its symbols, masks, basis and scales.
    public var byteCount: Int {
        switch self {
        case .dense(let tensor): tensor.count * tensor.kind.byteCount
        case .smartDeal(let parameter): parameter.weight.byteCount
        }
    }

    /// The dense tensor, rebuilt if it is compressed.
    public var tensor: Tensor {
        switch self {
        case .dense(let tensor): tensor
        case .smartDeal(let parameter): parameter.rebuilt()
        }
    }
}

/// A weight in SmartDeal form and how its dense tensor lies in the network.
public struct CompressedParameter: Sendable, Equatable {
    /// The weight, `[filters, ...]`.
    public let weight: SmartDealWeight
    /// Whether the network's tensor is the transpose, `[inputs, outputs]` for `[outputs, inputs]`:
    /// the second operand of a matrix product. Only of two dimensions.
    public let isTransposed: Bool

    public init(_ weight: SmartDealWeight, isTransposed: Bool = false) {
        precondition(
            !isTransposed || weight.geometry.shape.count == 2,
            "only a matrix can be transposed, not \(weight.geometry.shape)")
        self.weight = weight
        self.isTransposed = isTransposed
    }

    /// The shape of the network's tensor.
    public var shape: [Int] {
        isTransposed ? weight.geometry.shape.reversed() : weight.geometry.shape
    }

    /// The dense tensor of the network.
    public func rebuilt(threads: Int = 1) -> Tensor {
        let geometry = weight.geometry
        let direct = Tensor(.float32, uninitialized: geometry.shape) { bytes in
            nonisolated(unsafe) let out = bytes.assumingMemoryBound(to: Float.self)
            ParallelLoop.run(geometry.groupCount, threads: threads) { group in
                let filters = geometry.filters(ofGroup: group)
                guard let base = out.baseAddress else { return }
                weight.rebuild(
                    filters: filters, into: base + filters.lowerBound * geometry.filterLength)
            }
        }
        return isTransposed ? direct.transposed() : direct
    }
}

extension Tensor {
    /// The transpose of a matrix of floats.
    package func transposed() -> Tensor {
        let (rows, columns) = (shape[0], shape[1])
        return Tensor(.float32, uninitialized: [columns, rows]) { bytes in
            let out = bytes.assumingMemoryBound(to: Float.self)
            withFloats { from in
                // In tiles, so that neither side jumps a page an element.
                for tileRow in stride(from: 0, to: rows, by: 16) {
                    for tileColumn in stride(from: 0, to: columns, by: 16) {
                        for row in tileRow..<min(tileRow + 16, rows) {
                            for column in tileColumn..<min(tileColumn + 16, columns) {
                                out[column * rows + row] = from[row * columns + column]
                            }
                        }
                    }
                }
            }
        }
    }
}
