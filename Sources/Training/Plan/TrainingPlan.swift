package import DenseMath
internal import DensePrimitives
package import Networks

/// A network prepared for training steps of one batch size: forward, loss, backward.
///
/// Values share one block of memory in which those not needed at the same time overlap: what the
/// backward pass needs stays, gradients take the place of what it has used up. Weights that are
/// not kept dense are written for the step that uses them only.
///
/// Not to be used by two threads at once.
package final class TrainingPlan {
    /// Bytes of memory of one step.
    package struct Bytes: Sendable, Equatable {
        /// Values that the forward pass leaves for the backward one.
        package var savedActivations = 0
        /// The most that gradients of parameters take at one time.
        package var gradients = 0
        /// The most that weights written for a step take at one time.
        package var transientWeights = 0
        /// The block that everything but parameters lies in.
        package var arena = 0
    }

    /// The share of a batch's statistics in the running ones after a forward pass.
    package static var runningShare: Float { PlanBuilder.runningShare }

    /// Backward passes so far: what is drawn at random depends on it.
    package var step: Int {
        get { context.step }
        set { context.step = newValue }
    }

    package let threads: Int
    /// The batch that steps take, `[N, C, H, W]`.
    package let inputShape: [Int]
    package let bytes: Bytes

    private let classes: Int
    private let loss: Loss
    private let context: PlanContext
    private let forwardActions: [[PlanDraft.Action]]
    private let backwardActions: [[PlanDraft.Action]]
    private let input: UnsafeMutablePointer<Float>
    private let scores: UnsafeMutablePointer<Float>
    private let scoreGradient: UnsafeMutablePointer<Float>
    /// The results of each forward step: where, how many floats, which node.
    private let results: [[(place: PlanBuffer, count: Int, node: String)]]
    private let memory: [PlanMemory]
    private let inputBuffer: PlanBuffer

    /// Prepares a network.
    ///
    /// - Parameters:
    ///   - variables: by the names of parameters; other parameters are constants. Those of a batch
    ///     normalisation's mean and variance take up the running statistics.
    ///   - inputShape: the batch, `[N, C, H, W]`.
    /// - Throws: ``TrainingError`` `.notDifferentiable` for operators without a gradient;
    ///   ``NetworkError`` for shapes that do not fit, and `.tooLarge`.
    package init(
        _ network: Network, variables: [String: any Variable], inputShape: [Int], loss: Loss,
        threads: Int = 1, quantization: Quantization? = nil, keepsRows: Bool = true
    ) throws {
        precondition(threads > 0, "a plan needs at least one thread")
        try quantization?.check()
        OneDNN.setThreads(threads)
        let lanes =
            keepsRows && inputShape.count == 4 && inputShape[0] % 16 == 0
            && variables.values.contains { $0.keptPositions != nil }
        let graph = try TrainingGraph(
            network, variables: variables, inputShape: inputShape,
            imageStorage: lanes ? .lanes : .channelsLast, quantizes: quantization != nil,
            quantizesGradients: quantization?.gradientBits != nil)
        let scoresShape = graph.values[graph.scores].shape
        guard scoresShape.count == 2, scoresShape[0] == inputShape[0], scoresShape[1] > 0 else {
            throw TrainingError(
                .invalidInput,
                "the loss takes scores [\(inputShape[0]), classes], the network gives "
                    + "\(scoresShape)", path: network.name)
        }
        let context = PlanContext()
        var builder = PlanBuilder(
            draft: try PlanDraft(graph: graph, threads: threads), context: context,
            quantization: quantization)
        try builder.build()
        let draft = builder.draft
        let layout = Arena(draft.buffers)
        let constantBytes = draft.constants.reduce(0) { $0 + $1.byteCount }
        try PlanMemory.check(layout.byteCount + constantBytes)
        let arena = try PlanMemory(byteCount: layout.byteCount)
        for buffer in draft.buffers {
            buffer.address = layout.offsets[ObjectIdentifier(buffer)].map { arena.start + $0 }
        }
        let actions = try draft.bindings.map { try $0.map { try $0() } }
        forwardActions = Array(actions[...builder.lossTime])
        backwardActions = Array(actions[(builder.lossTime + 1)...])
        inputBuffer = builder.inputPlace
        input = try builder.inputPlace.floats()
        scores = try builder.scoresPlace.floats()
        scoreGradient = try builder.scoreGradientPlace.floats()
        results = builder.results
        memory = draft.constants + [arena]
        var bytes = builder.bytes
        bytes.arena = layout.byteCount
        self.bytes = bytes
        classes = scoresShape[1]
        self.context = context
        self.loss = loss
        self.threads = threads
        self.inputShape = inputShape
    }

    /// One forward pass in training mode: batch normalisation takes the statistics of the batch and
    /// moves the running ones.
    ///
    /// - Throws: ``TrainingError`` `.invalidInput` for a batch of another shape or labels that are
    ///   no classes.
    package func forward(_ images: Tensor, labels: [Int]) throws -> StepLoss {
        guard images.shape == inputShape, images.kind == .float32 else {
            throw TrainingError(
                .invalidInput, "the plan takes images \(inputShape), found \(images.shape)")
        }
        guard labels.count == inputShape[0], labels.allSatisfy((0..<classes).contains) else {
            throw TrainingError(
                .invalidInput,
                "the plan takes \(inputShape[0]) labels below \(classes), found \(labels.count)")
        }
        OneDNN.setThreads(threads)
        load(images)
        for actions in forwardActions { for action in actions { try action() } }
        return loss.evaluate(scores, labels: labels, classes: classes, gradient: scoreGradient)
    }

    /// The backward pass of the last forward one.
    ///
    /// - Parameter take: gets each gradient once it is complete, when nothing needs the variable's
    ///   value any more; the memory is used again after it returns.
    package func backward(
        _ take: (_ variable: any Variable, _ gradient: UnsafeMutablePointer<Float>) throws -> Void
    ) throws {
        OneDNN.setThreads(threads)
        try withoutActuallyEscaping(take) { take in
            context.take = take
            defer { context.take = nil }
            for actions in backwardActions { for action in actions { try action() } }
        }
        context.step += 1
    }

    /// The running ranges of training in few bits, by node and operand.
    package var ranges: [String: ActivationRange] { context.ranges }

    /// Computes forward again and gives the first node whose result holds a NaN or an infinity.
    package func firstBadNode(_ images: Tensor) throws -> String? {
        load(images)
        for (actions, results) in zip(forwardActions, results) {
            for action in actions { try action() }
            for result in results {
                let floats = UnsafeBufferPointer(
                    start: try result.place.floats(), count: result.count)
                if !floats.allSatisfy(\.isFinite) { return result.node }
            }
        }
        return nil
    }

    private func load(_ images: Tensor) {
        images.withFloats { floats in
            if let start = floats.baseAddress { input.update(from: start, count: floats.count) }
        }
    }
}

/// What actions of a plan share.
final class PlanContext {
    /// Who gets gradients, during a backward pass.
    var take: ((any Variable, UnsafeMutablePointer<Float>) throws -> Void)?
    /// Steps so far: what is drawn at random depends on it.
    var step = 0
    /// The running ranges of what convolutions and products take, by node and operand.
    var ranges: [String: ActivationRange] = [:]
}
