import DenseMath
import Networks
import Testing

@testable import Training

/// Compares the gradients of a plan with slopes of the loss in double precision.
struct GradientChecker {
    var loss = Loss.crossEntropy(labelSmoothing: 0)
    /// Parameters that do not learn.
    var constants: Set<String> = []
    var seed: UInt64 = 1
    var threads = 2
    /// How far a parameter is moved to each side.
    var step = 1e-5
    /// What a gradient may be off, as a part of the largest one of its parameter.
    var tolerance = 2e-4

    /// Compares single elements: all of a parameter that has up to `few`, a dozen of others.
    func check(
        _ network: Network, inputShape: [Int], few: Int = 150, _ comment: String = "",
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let run = try run(network, inputShape: inputShape, comment, location)
        // A move across a corner has no slope, and single precision may fall to its other side.
        #expect(
            try run.evaluator.distanceToKinks() > 10 * step,
            "a value is on a corner, choose another seed than \(seed): \(comment)",
            sourceLocation: location)
        var generator = SplitMix64(seed: seed &+ 99)
        for name in run.learning {
            let value = try #require(run.evaluator.values[name])
            let gradient = run.gradients[name] ?? value.values.map { _ in 0 }
            let largest = gradient.reduce(0) { max($0, abs($1)) }
            let all = Array(value.values.indices)
            let sample = all.count <= few ? all : Array(all.shuffled(using: &generator).prefix(12))
            for index in sample {
                let slope = try run.slope(step) { distance in
                    var moved = value
                    moved.values[index] += distance
                    return [name: moved]
                }
                let error = abs(gradient[index] - slope) / max(largest, abs(slope), 1e-3)
                #expect(
                    error < tolerance,
                    """
                    \(name)[\(index)] of \(value.shape): gradient \(gradient[index]), slope \
                    \(slope), off by \(error) of the largest, seed \(seed): \(comment)
                    """, sourceLocation: location)
                // One line a parameter says enough.
                if error >= tolerance { break }
            }
        }
    }

    /// Compares, for groups of parameters, the slope along a random direction, in which all of
    /// their elements count: for networks with too many to go through.
    func checkDirections(
        _ network: Network, inputShape: [Int], groups: Int, _ comment: String = "",
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let run = try run(network, inputShape: inputShape, comment, location)
        var generator = SplitMix64(seed: seed &+ 99)
        for group in 0..<groups {
            let names = run.learning.enumerated().filter {
                $0.offset * groups / run.learning.count == group
            }
            .map(\.element)
            guard !names.isEmpty else { continue }
            var directions: [String: [Double]] = [:]
            var (found, variance) = (0.0, 0.0)
            for name in names {
                let values = try #require(run.evaluator.values[name]).values
                let count = Double(values.count)
                // Parameters move in proportion to their size; new biases are zero.
                let size = max((values.reduce(0) { $0 + $1 * $1 } / count).squareRoot(), 0.1)
                let direction = values.map { _ in
                    (generator.next() & 1 == 0 ? size : -size) / count.squareRoot()
                }
                let gradient = run.gradients[name] ?? values.map { _ in 0 }
                for (slope, part) in zip(gradient, direction) {
                    found += slope * part
                    variance += slope * slope * part * part
                }
                directions[name] = direction
            }
            let slope = try run.slope(step) { distance in
                try directions.reduce(into: [:]) { moved, entry in
                    var value = try #require(run.evaluator.values[entry.key])
                    for (i, part) in entry.value.enumerated() { value.values[i] += distance * part }
                    moved[entry.key] = value
                }
            }
            let error = abs(found - slope) / max(variance.squareRoot(), 1e-6)
            #expect(
                error < tolerance,
                """
                along a direction of \(names): gradient \(found), slope \(slope), off by \(error) \
                of a usual one, seed \(seed): \(comment)
                """, sourceLocation: location)
        }
    }

    /// A forward and a backward pass of the plan, and what the definition needs to follow it.
    private struct Run {
        let evaluator: DoubleEvaluator
        let labels: [Int]
        let loss: Loss
        /// Parameters that have a gradient, in the order of their use.
        let learning: [String]
        let gradients: [String: [Double]]

        /// The central difference of the loss.
        func slope(
            _ step: Double, _ moved: (Double) throws -> [String: DoubleTensor]
        ) throws -> Double {
            let sides = try [step, -step].map { distance in
                loss.value(
                    try evaluator.scores(replacing: moved(distance)), labels: labels)
            }
            return (sides[0] - sides[1]) / (2 * step)
        }
    }

    private func run(
        _ network: Network, inputShape: [Int], _ comment: String, _ location: SourceLocation
    ) throws -> Run {
        var generator = SplitMix64(seed: seed)
        let images = Tensor(
            shape: inputShape,
            (0..<inputShape.reduce(1, *)).map { _ in Float(generator.nextNormal()) })
        let evaluator = try DoubleEvaluator(network, images)
        let scores = try evaluator.scores()
        try #require(scores.shape.count == 2 && scores.shape[0] == inputShape[0])
        let labels = (0..<inputShape[0]).map { _ in
            Int.random(in: 0..<scores.shape[1], using: &generator)
        }

        let variables = try learningVariables(network)
        let plan = try TrainingPlan(
            network, variables: variables, inputShape: inputShape, loss: loss, threads: threads)
        let first = try gradients(plan, images, labels, comment, location)
        let second = try gradients(plan, images, labels, comment, location)
        #expect(
            first.gradients == second.gradients && first.step.loss == second.step.loss,
            "a second pass gives other numbers: \(comment)", sourceLocation: location)

        let expected = loss.value(scores, labels: labels)
        let error = abs(first.step.loss - expected) / max(abs(expected), 0.1)
        #expect(
            error < tolerance, "loss \(first.step.loss), expected \(expected): \(comment)",
            sourceLocation: location)
        let correct = labels.enumerated().count { image, label in
            let row = scores.values[(image * scores.shape[1])..<((image + 1) * scores.shape[1])]
            // The first of equals.
            return row.max().flatMap { row.firstIndex(of: $0) } == row.startIndex + label
        }
        #expect(
            first.step.correct == correct, "images told right: \(comment)",
            sourceLocation: location)
        var seen = Set<String>()
        let learning = network.nodes.flatMap(\.inputs).filter {
            variables[$0] != nil && !network.statistics.contains($0) && seen.insert($0).inserted
        }
        return Run(
            evaluator: evaluator, labels: labels, loss: loss, learning: learning,
            gradients: first.gradients)
    }

    /// All parameters of floats as variables.
    private func learningVariables(_ network: Network) throws -> [String: any Variable] {
        let rule = Optimizer.sgd(SGD(momentum: 0, weightDecay: 0))
        var variables: [String: any Variable] = [:]
        for (name, parameter) in network.parameters
        where parameter.kind == .float32 && !constants.contains(name) {
            variables[name] = try DenseVariable(name: name, parameter.tensor, rule: rule)
        }
        return variables
    }

    private func gradients(
        _ plan: TrainingPlan, _ images: Tensor, _ labels: [Int], _ comment: String,
        _ location: SourceLocation
    ) throws -> (step: StepLoss, gradients: [String: [Double]]) {
        let step = try plan.forward(images, labels: labels)
        var gradients: [String: [Double]] = [:]
        try plan.backward { variable, gradient in
            #expect(
                gradients[variable.name] == nil, "\(variable.name) was given twice: \(comment)",
                sourceLocation: location)
            gradients[variable.name] = UnsafeBufferPointer(
                start: gradient, count: variable.shape.reduce(1, *)
            ).map(Double.init)
        }
        return (step, gradients)
    }
}

extension Network {
    /// The parameters that hold running statistics, which have no gradient.
    var statistics: Set<String> {
        nodes.reduce(into: []) { names, node in
            if case .batchNormalization = node.operation { names.formUnion(node.inputs[3...4]) }
        }
    }
}
