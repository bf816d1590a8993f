internal import DensePrimitives
internal import PowerOfTwo

/// Batch normalisation of values in lanes, `[N / 16, C, H, W, 16]`, fused with a sum and a ReLU.
struct LaneNormalization {
    let blocks: Int
    let channels: Int
    /// Floats of a plane: H W 16.
    let plane: Int
    let epsilon: Float
    let relu: Bool
    let threads: Int

    private var kernels: ShiftKernels { .selected }

    /// Writes means and variances of the batch, `[C]` each.
    func moments(
        _ x: UnsafePointer<Float>, mean: UnsafeMutablePointer<Float>,
        variance: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks * channels * 2) { parts in
            guard let parts = parts.baseAddress else { return }
            ThreadTeam.run(blocks * channels, threads: threads) { item in
                kernels.planeMoments(count: plane, x + item * plane, into: parts + 2 * item)
            }
            for channel in 0..<channels {
                // Chan et al. 1979: moments of the blocks together.
                var (count, center, squares) = (0.0, 0.0, 0.0)
                for block in 0..<blocks {
                    let part = parts + 2 * (block * channels + channel)
                    let difference = part[0] - center
                    let total = count + Double(plane)
                    center += difference * Double(plane) / total
                    squares += part[1] + difference * difference * count * Double(plane) / total
                    count = total
                }
                mean[channel] = Float(center)
                variance[channel] = Float(squares / count)
            }
        }
    }

    func normalize(
        _ x: UnsafePointer<Float>, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>,
        scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
        adding other: UnsafePointer<Float>?,
        into y: UnsafeMutablePointer<Float>
    ) {
        ThreadTeam.run(blocks * channels, threads: threads) { item in
            let channel = item % channels
            let factor = scale[channel] * inverse(variance[channel])
            kernels.planeNormalise(
                count: plane, x + item * plane, factor: factor,
                shift: shift[channel] - factor * mean[channel],
                adding: other.map { $0 + item * plane }, relu: relu, into: y + item * plane)
        }
    }

    /// The gradients; `dx` may be where `gradient` is, or `passed`.
    ///
    /// - Parameters:
    ///   - y: the result, for the ReLU.
    ///   - passed: for what of the gradient passes the ReLU, which is the gradient of what was
    ///     added; nil when nobody needs it.
    func backward(
        gradient: UnsafePointer<Float>, x: UnsafePointer<Float>, y: UnsafePointer<Float>,
        mean: UnsafePointer<Float>, variance: UnsafePointer<Float>, scale: UnsafePointer<Float>,
        dx: UnsafeMutablePointer<Float>, passed: UnsafeMutablePointer<Float>?,
        scaleGradient: UnsafeMutablePointer<Float>, shiftGradient: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks * channels * 2) { parts in
            guard let parts = parts.baseAddress else { return }
            ThreadTeam.run(blocks * channels, threads: threads) { item in
                kernels.planeGradientSums(
                    count: plane, gradient: gradient + item * plane, x: x + item * plane,
                    signOf: relu ? y + item * plane : nil, mean: mean[item % channels],
                    into: parts + 2 * item)
            }
            for channel in 0..<channels {
                var (sum, product) = (0.0, 0.0)
                for block in 0..<blocks {
                    sum += parts[2 * (block * channels + channel)]
                    product += parts[2 * (block * channels + channel) + 1]
                }
                shiftGradient[channel] = Float(sum)
                scaleGradient[channel] = Float(product) * inverse(variance[channel])
            }
        }
        let count = Float(blocks * plane)
        ThreadTeam.run(blocks * channels, threads: threads) { item in
            let channel = item % channels
            let inverse = inverse(variance[channel])
            let factor = scale[channel] * inverse
            let slope = -factor * inverse * scaleGradient[channel] / count
            kernels.planeGradient(
                count: plane, gradient: gradient + item * plane, x: x + item * plane,
                signOf: relu ? y + item * plane : nil, factor: factor, slope: slope,
                shift: -factor * shiftGradient[channel] / count - slope * mean[channel],
                into: dx + item * plane, passed: passed.map { $0 + item * plane })
        }
    }

    private func inverse(_ variance: Float) -> Float { 1 / (variance + epsilon).squareRoot() }
}

extension PlanBuilder {
    /// The same in lanes, with a value that is added before the ReLU when there is a sixth input.
    mutating func lowerLaneNormalization(
        _ step: TrainingGraph.Step, epsilon: Float, relu: Bool
    ) throws -> Backward {
        let (x, y) = (step.inputs[0], step.outputs[0])
        let other = step.inputs.count > 5 ? step.inputs[5] : nil
        let shape = draft.value(x).shape
        let channelBytes = shape[1] * MemoryLayout<Float>.stride
        let normalization = LaneNormalization(
            blocks: shape[0] / 16, channels: shape[1], plane: shape[2] * shape[3] * 16,
            epsilon: epsilon, relu: relu, threads: draft.threads)
        let (source, added) = (try draft.read(x), try other.map { try draft.read($0) })
        let mean = draft.buffer(bytes: channelBytes)
        let variance = draft.buffer(bytes: channelBytes)
        let (scale, shift) = (try draft.read(step.inputs[1]), try draft.read(step.inputs[2]))
        let result = draft.define(y)
        draft.emit {
            let (x, y) = (try source.floats(), try result.floats())
            let (mean, variance) = (try mean.floats(), try variance.floats())
            let (scale, shift) = (try scale.floats(), try shift.floats())
            let other = try added?.floats()
            return {
                normalization.moments(x, mean: mean, variance: variance)
                normalization.normalize(
                    x, mean: mean, variance: variance, scale: scale, shift: shift, adding: other,
                    into: y)
            }
        }
        try emitRunningStatistics(step, mean: mean, variance: variance)

        return { builder in
            guard let gradient = builder.draft.gradient(of: y) else { return }
            let passes = other.map { builder.draft.value($0).needsGradient } ?? false
            let owns = builder.draft.ownsGradient(of: y)
            for buffer in [source, mean, variance] { builder.draft.use(buffer) }
            if relu { builder.draft.use(result) }
            let scale = try builder.draft.read(step.inputs[1])
            // What passes takes the place of the gradient, else the result does.
            let bytes = builder.draft.bytes(x)
            let passed =
                passes && relu ? (owns ? gradient : builder.draft.buffer(bytes: bytes)) : nil
            let target = owns && !passes ? gradient : builder.draft.buffer(bytes: bytes)
            let scaleGradient = builder.draft.buffer(bytes: channelBytes)
            let shiftGradient = builder.draft.buffer(bytes: channelBytes)
            builder.draft.emit {
                let (x, y) = (try source.floats(), try result.floats())
                let (mean, variance) = (try mean.floats(), try variance.floats())
                let (scale, dy) = (try scale.floats(), try gradient.floats())
                let (dx, passed) = (try target.floats(), try passed?.floats())
                let dScale = try scaleGradient.floats()
                let dShift = try shiftGradient.floats()
                return {
                    normalization.backward(
                        gradient: dy, x: x, y: y, mean: mean, variance: variance, scale: scale,
                        dx: dx, passed: passed, scaleGradient: dScale, shiftGradient: dShift)
                }
            }
            try builder.draft.give(target, to: x)
            if let other {
                try builder.draft.give(passed ?? gradient, to: other, isExclusive: relu || owns)
            }
            try builder.draft.give(scaleGradient, to: step.inputs[1])
            try builder.draft.give(shiftGradient, to: step.inputs[2])
        }
    }
}
