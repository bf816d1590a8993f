/// Gathers elements at regular distances into row-major order.
struct StridedCopy {
    /// The result's sizes; neighbouring dimensions that run on without a gap are one.
    let shape: [Int]
    /// Distances in the source, in elements.
    let strides: [Int]
    /// The first element in the source.
    let offset: Int

    init(shape: [Int], strides: [Int], offset: Int) {
        var sizes: [Int] = []
        var steps: [Int] = []
        for (size, step) in zip(shape, strides) where size != 1 {
            if let last = steps.last, last == step * size, let before = sizes.popLast() {
                sizes.append(before * size)
                steps[steps.count - 1] = step
            } else {
                sizes.append(size)
                steps.append(step)
            }
        }
        self.shape = sizes
        self.strides = steps
        self.offset = offset
    }

    func run<Element: BitwiseCopyable>(
        _ source: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer,
        as type: Element.Type
    ) {
        let from = source.assumingMemoryBound(to: Element.self) + offset
        var to = target.assumingMemoryBound(to: Element.self)
        guard let innerSize = shape.last, let innerStep = strides.last else {
            to.pointee = from.pointee
            return
        }
        let outer = shape.dropLast()
        guard outer.allSatisfy({ $0 > 0 }), innerSize > 0 else { return }
        var position = [Int](repeating: 0, count: outer.count)
        var start = from
        while true {
            if innerStep == 1 {
                to.update(from: start, count: innerSize)
            } else {
                for index in 0..<innerSize { to[index] = start[index * innerStep] }
            }
            to += innerSize
            var axis = outer.count - 1
            while axis >= 0 {
                position[axis] += 1
                start += strides[axis]
                if position[axis] < outer[axis] { break }
                start -= strides[axis] * outer[axis]
                position[axis] = 0
                axis -= 1
            }
            guard axis >= 0 else { return }
        }
    }
}
