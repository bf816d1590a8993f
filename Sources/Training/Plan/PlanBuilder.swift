internal import DensePrimitives
internal import Networks

/// Lowers a graph: forward steps, the loss, backward steps in reverse order.
struct PlanBuilder {
    /// Emits the backward pass of a step, once the gradients of its results are known.
    typealias Backward = (inout PlanBuilder) throws -> Void

    var draft: PlanDraft
    let context: PlanContext
    let quantizer: FakeQuantizer?

    private(set) var lossTime = 0
    private(set) var results: [[(place: PlanBuffer, count: Int, node: String)]] = []
    private(set) var bytes = TrainingPlan.Bytes()
    /// Uses of each variable that have not given their gradient yet.
    private var openUses: [Int: Int] = [:]
    /// Buffers of gradients of parameters.
    private var parameterGradients: [PlanBuffer] = []
    private var places: (input: PlanBuffer, scores: PlanBuffer, gradient: PlanBuffer)?

    init(draft: PlanDraft, context: PlanContext, quantization: Quantization?) {
        self.draft = draft
        self.context = context
        quantizer = quantization.map { FakeQuantizer($0, threads: draft.threads) }
    }

    var graph: TrainingGraph { draft.graph }
    var inputPlace: PlanBuffer { built.input }
    var scoresPlace: PlanBuffer { built.scores }
    var scoreGradientPlace: PlanBuffer { built.gradient }

    private var built: (input: PlanBuffer, scores: PlanBuffer, gradient: PlanBuffer) {
        guard let places else { preconditionFailure("the plan is not built yet") }
        return places
    }

    mutating func build() throws {
        for step in graph.steps {
            for input in step.inputs where isLearned(input) { openUses[input, default: 0] += 1 }
        }
        let input = try draft.read(graph.input)
        var backwards: [Backward?] = []
        for step in graph.steps {
            let backward = try lower(step)
            let needsGradient = step.outputs.contains {
                $0 >= 0 && draft.value($0).needsGradient
            }
            backwards.append(needsGradient ? backward : nil)
            results.append(
                try step.outputs.filter { $0 >= 0 && !draft.value($0).isInteger }.map {
                    (try draft.read($0), draft.count($0), step.node)
                })
            draft.nextTime()
        }
        lossTime = draft.time
        let scores = try draft.read(graph.scores)
        let gradient = draft.buffer(bytes: draft.bytes(graph.scores))
        places = (input, scores, gradient)
        try draft.give(gradient, to: graph.scores)
        for index in graph.steps.indices.reversed() {
            guard let backward = backwards[index] else {
                try closeUses(of: graph.steps[index])
                continue
            }
            draft.nextTime()
            try backward(&self)
            try closeUses(of: graph.steps[index])
        }
        draft.nextTime()
        count()
    }

    private func isLearned(_ number: Int) -> Bool {
        guard number >= 0, case .variable = draft.value(number).origin else { return false }
        return true
    }

    /// Hands over the gradients of variables that no other step is still to add to.
    private mutating func closeUses(of step: TrainingGraph.Step) throws {
        for input in step.inputs where isLearned(input) {
            openUses[input, default: 0] -= 1
            guard openUses[input] == 0, case .variable(let variable) = draft.value(input).origin,
                let gradient = draft.gradient(of: input)
            else { continue }
            let context = context
            parameterGradients.append(gradient)
            draft.emit {
                let address = try gradient.floats()
                return { try context.take?(variable, address) }
            }
        }
    }

    /// Sums up what lies in memory when.
    private mutating func count() {
        for buffer in draft.buffers where buffer.steps?.contains(lossTime) ?? false {
            bytes.savedActivations += buffer.byteCount
        }
        bytes.gradients = Self.peak(parameterGradients)
    }

    private static func peak(_ buffers: [PlanBuffer]) -> Int {
        let times = Set(buffers.compactMap(\.steps?.lowerBound))
        return times.map { time in
            buffers.reduce(0) { sum, buffer in
                sum + (buffer.steps?.contains(time) ?? false ? buffer.byteCount : 0)
            }
        }.max() ?? 0
    }
}
