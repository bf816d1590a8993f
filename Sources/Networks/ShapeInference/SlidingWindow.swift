extension Operation {
    /// Padding and output sizes of a convolution or pooling, one number for each spatial dimension.
    package struct ResolvedWindow: Sendable, Equatable {
        package var padsBegin: [Int]
        package var padsEnd: [Int]
        package var outputSpatial: [Int]
    }
}

extension Operation.Convolution {
    /// Padding and output sizes for an input `[N, C, spatial...]`.
    ///
    /// - Throws: ``NetworkError`` `.invalidNode` for attributes, `.shapeMismatch` for the input.
    package func resolved(input: [Int]) throws -> Operation.ResolvedWindow {
        try SlidingWindow(
            kernel: kernel, strides: strides, dilations: dilations, padding: padding,
            roundsUp: false
        ).resolved(input: input)
    }
}

extension Operation.Pooling {
    /// Padding and output sizes for an input `[N, C, spatial...]`.
    ///
    /// When rounding up, the last window may reach beyond `padsEnd`.
    ///
    /// - Throws: ``NetworkError`` `.invalidNode` for attributes, `.shapeMismatch` for the input.
    package func resolved(input: [Int]) throws -> Operation.ResolvedWindow {
        let window = SlidingWindow(
            kernel: kernel, strides: strides, dilations: dilations, padding: padding,
            roundsUp: roundsUp)
        let resolved = try window.resolved(input: input)
        for i in kernel.indices
        where max(resolved.padsBegin[i], resolved.padsEnd[i]) >= window.extent(i) {
            throw NetworkError(
                .invalidNode,
                "padding \(resolved.padsBegin) and \(resolved.padsEnd) must be less than the "
                    + "kernel \(kernel), or there are windows without any input")
        }
        return resolved
    }
}

/// What convolution and pooling have in common.
private struct SlidingWindow {
    let kernel: [Int]
    let strides: [Int]
    let dilations: [Int]
    let padding: Operation.SpatialPadding
    let roundsUp: Bool

    /// Positions from the first tap to the last.
    func extent(_ i: Int) -> Int { (kernel[i] - 1) * dilations[i] + 1 }

    func resolved(input: [Int]) throws -> Operation.ResolvedWindow {
        try checkAttributes()
        guard !kernel.isEmpty, input.count == kernel.count + 2 else {
            throw NetworkError(
                .shapeMismatch,
                "a kernel \(kernel) takes an input [N, C, \(kernel.count) spatial dimensions], "
                    + "found \(input)")
        }
        let spatial = Array(input[2...])
        let none = kernel.map { _ in 0 }
        var result = Operation.ResolvedWindow(
            padsBegin: none, padsEnd: none, outputSpatial: none)
        if case .explicit(let begin, let end) = padding {
            if !begin.isEmpty { result.padsBegin = begin }
            if !end.isEmpty { result.padsEnd = end }
        }
        for i in kernel.indices {
            let (size, stride) = (spatial[i], strides[i])
            switch padding {
            case .explicit:
                let room = size + result.padsBegin[i] + result.padsEnd[i] - extent(i)
                guard room >= 0, size > 0 else {
                    throw NetworkError(
                        .shapeMismatch,
                        "the kernel \(kernel) with dilations \(dilations) does not fit in the "
                            + "input \(input) with padding \(result.padsBegin) and "
                            + "\(result.padsEnd)")
                }
                var count = (roundsUp ? room + stride - 1 : room) / stride + 1
                // The last window has to begin inside the input or the padding before it.
                if roundsUp, (count - 1) * stride >= size + result.padsBegin[i] { count -= 1 }
                result.outputSpatial[i] = count
            case .sameUpper, .sameLower:
                guard size > 0 else {
                    throw NetworkError(.shapeMismatch, "the input \(input) is empty")
                }
                let count = (size - 1) / stride + 1
                let total = max(0, (count - 1) * stride + extent(i) - size)
                let larger = total - total / 2
                result.padsBegin[i] = padding == .sameLower ? larger : total / 2
                result.padsEnd[i] = total - result.padsBegin[i]
                result.outputSpatial[i] = count
            }
        }
        return result
    }

    private func checkAttributes() throws {
        for (name, values) in [
            ("kernel", kernel), ("strides", strides), ("dilations", dilations),
        ] {
            try check(name, values, 1...ValueLimit.window)
        }
        if case .explicit(let begin, let end) = padding {
            for values in [begin, end] where !values.isEmpty {
                try check("padding", values, 0...ValueLimit.window)
            }
        }
    }

    private func check(_ name: String, _ values: [Int], _ range: ClosedRange<Int>) throws {
        guard values.count == kernel.count, kernel.count <= ValueLimit.dimensions else {
            throw NetworkError(
                .invalidNode, "\(kernel.count) sizes of the kernel, \(values.count) \(name)")
        }
        guard values.allSatisfy(range.contains) else {
            throw NetworkError(
                .invalidNode,
                "\(name) \(values) must be from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
