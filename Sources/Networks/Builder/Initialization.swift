internal import DenseMath

/// What the elements of a new parameter are.
enum Initialization: Sendable, Hashable {
    case constant(Float)
    /// Mean 0.
    case normal(standardDeviation: Double)
    /// Between -bound and bound.
    case uniform(bound: Double)

    /// Kaiming He's for layers followed by ReLU, by the number of outputs that an input reaches.
    static func kaimingNormal(fanOut: Int) -> Self {
        .normal(standardDeviation: (2 / Double(fanOut)).squareRoot())
    }

    /// PyTorch's for linear layers and biases, by the number of inputs of an output.
    static func torchUniform(fanIn: Int) -> Self {
        .uniform(bound: 1 / Double(fanIn).squareRoot())
    }

    /// The mean square of the elements.
    var meanSquare: Double {
        switch self {
        case .constant(let value): Double(value * value)
        case .normal(let deviation): deviation * deviation
        case .uniform(let bound): bound * bound / 3
        }
    }
}

extension NetworkDraft.PlannedParameter {
    /// Elements drawn by one thread at a time; any number gives the same bits.
    private static let chunk = 1 << 16

    /// The parameter's elements, a stream of their own by `seed` and name.
    func drawn(seed: UInt64) -> Tensor {
        Tensor(.float32, uninitialized: shape) { bytes in
            nonisolated(unsafe) let out = bytes.bindMemory(to: Float.self)
            let start = SplitMix64(seed: seed ^ .seed(name))
            let chunks = (out.count + Self.chunk - 1) / Self.chunk
            ParallelLoop.run(chunks, threads: ParallelLoop.availableThreads) { index in
                let first = index * Self.chunk
                let part = UnsafeMutableBufferPointer(
                    rebasing: out[first..<min(first + Self.chunk, out.count)])
                var random = start
                switch initialization {
                case .constant(let value):
                    part.update(repeating: value)
                case .normal(let deviation):
                    random.skip(first * 3)
                    random.fillNormal(part, standardDeviation: Float(deviation))
                case .uniform(let bound):
                    random.skip(first)
                    for element in part.indices {
                        part[element] = Float((random.nextUnit() * 2 - 1) * bound)
                    }
                }
            }
        }
    }
}

extension SplitMix64 {
    /// Fills in (nearly) normal numbers of mean 0: each the sum of twelve uniform ones of 16 bits,
    /// from three draws.
    fileprivate mutating func fillNormal(
        _ out: UnsafeMutableBufferPointer<Float>, standardDeviation: Float
    ) {
        // Two sums of six at a time, in the halves of a word.
        let mask: UInt64 = 0x0000_FFFF_0000_FFFF
        // The variance of the sum is 2^32 - 1, its mean 12 (2^16 - 1) / 2.
        let scale = standardDeviation * 0x1p-16
        var element = 0
        while element < out.count {
            let (a, b, c) = (next(), next(), next())
            let low = (a & mask) &+ (b & mask) &+ (c & mask)
            let high = (a >> 16 & mask) &+ (b >> 16 & mask) &+ (c >> 16 & mask)
            let halves = low &+ high
            let sum = Int32(truncatingIfNeeded: (halves & 0xFFFF_FFFF) &+ (halves >> 32))
            out[element] = Float(sum &- 393_210) * scale
            element &+= 1
        }
    }
}
