/// Running means of a network's weights (Izmailov et al. 2018, SWA).
package struct WeightAveraging: Sendable, Equatable {
    /// The values averaged so far.
    package private(set) var count = 0
    /// By the name of the parameter, dense.
    package private(set) var means: [String: [Float]] = [:]

    package init() {}

    /// Takes up what a checkpoint kept.
    package init(count: Int, means: [String: [Float]]) {
        self.count = count
        self.means = means
    }

    /// Adds the values of all parameters, which must be the same ones each time.
    package mutating func add(_ values: [String: [Float]]) {
        count += 1
        guard count > 1 else {
            means = values
            return
        }
        let share = 1 / Float(count)
        for (name, values) in values {
            precondition(means[name]?.count == values.count, "'\(name)' is not what it was")
            means[name]?.withUnsafeMutableBufferPointer { mean in
                for i in mean.indices { mean[i] += (values[i] - mean[i]) * share }
            }
        }
    }
}
