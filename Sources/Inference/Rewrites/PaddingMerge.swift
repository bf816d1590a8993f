internal import DenseMath
internal import Networks

extension PlanGraph {
    /// Makes zeros around images the padding of the convolution that takes them.
    mutating func mergePadding() {
        let uses = useCounts()
        let producers = producers()
        for index in operators.indices {
            guard case .conv(var convolution) = operators[index].operation,
                case .explicit(let begin, let end) = convolution.padding,
                let value = operators[index].input(0), uses[value] == 1,
                let pad = producers[value], let source = operators[pad].input(0),
                let added = paddingWithZeros(operators[pad])
            else { continue }
            let kernel = convolution.kernel
            guard added.begin.count == kernel.count + 2, added.begin.prefix(2) == [0, 0],
                added.end.prefix(2) == [0, 0]
            else { continue }
            func sum(_ own: [Int], _ more: [Int]) -> [Int] {
                kernel.indices.map { (own.isEmpty ? 0 : own[$0]) + more[$0 + 2] }
            }
            let padding = (sum(begin, added.begin), sum(end, added.end))
            // A window that sees nothing but padding is beyond what primitives are made for.
            let fits = kernel.indices.allSatisfy {
                max(padding.0[$0], padding.1[$0])
                    <= (kernel[$0] - 1) * convolution.dilations[$0]
            }
            guard fits else { continue }
            convolution.padding = .explicit(padding.0, padding.1)
            operators[index].operation = .conv(convolution)
            operators[index].inputs[0] = source
        }
    }

    /// What a Pad adds in each dimension, when it adds nothing but zeros.
    private func paddingWithZeros(_ item: Operator) -> PaddedDimensions? {
        guard item.operation == .pad(.constant),
            item.input(2) == nil || scalar(item.input(2)) == 0,
            let padded = paddedDimensions(item)
        else { return nil }
        return padded
    }

    /// What a Pad of floats with constant sizes adds in each dimension; nil when it crops.
    func paddedDimensions(_ item: Operator) -> PaddedDimensions? {
        func numbers(_ index: Int) -> [Int]? {
            guard let parameter = item.input(index).flatMap({ parameters[$0] }),
                parameter.kind == .int64
            else { return nil }
            return parameter.tensor.integers.map(Int.init)
        }
        guard let pads = numbers(1), pads.allSatisfy({ $0 >= 0 }),
            item.input(3) == nil || numbers(3) != nil,
            let source = item.input(0), info[source]?.elementType == .float32
        else { return nil }
        return try? PaddedDimensions(
            shape: shape(source), pads: pads, axes: numbers(3), .constant)
    }
}
