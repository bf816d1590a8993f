import Accelerator
import Decomposition
import Networks

/// What a network costs on some accelerators, and what happens when some of their keys, or of the
/// recipe, have other values.
public struct EnergyStudy: Sendable {
    public var accelerators: [AcceleratorChoice]
    /// The YAML text of an energy table instead of the accelerators' own.
    public var units: String?
    public var phase = Phase.inference
    /// Images.
    public var batch = 1
    public var policy = SparsityPolicy.sameMasks
    /// How weights are compressed first, or nil to take them as they are.
    public var recipe: Recipe?
    /// What is assumed of weights and activations that are not known.
    public var densities = AssumedDensities()
    /// What is varied, every value of one with every value of the others.
    public var axes: [SweepAxis] = []

    /// The most points of a sweep.
    static let pointLimit = 100_000

    public init(_ accelerators: [AcceleratorChoice]) { self.accelerators = accelerators }

    /// Costs a model.
    ///
    /// - Throws: ``AcceleratorError`` for descriptions that are not right, energy tables that lack a
    ///   unit, and two accelerators of one name; as ``EnergyModel/workload(recipe:assuming:progress:)``.
    public func report(
        on model: EnergyModel, progress: TaskProgress = TaskProgress()
    ) throws -> EnergyReport {
        let configs = try accelerators.map { try $0.config(units: units) }
        for (index, config) in configs.enumerated()
        where configs[..<index].contains(where: { $0.name == config.name }) {
            throw AcceleratorError(
                .invalidDescription, ["two accelerators have this name"], path: config.name)
        }
        let points = axes.reduce(accelerators.count) { count, axis in
            let (product, overflows) = count.multipliedReportingOverflow(by: axis.values.count)
            return overflows ? .max : product
        }
        guard points <= Self.pointLimit else {
            throw AcceleratorError(
                .invalidDescription,
                ["a sweep of \(points) points, the most is \(Self.pointLimit)"])
        }
        // Keys that there are not are found before any work.
        if !axes.isEmpty { try checkKeys() }
        let prepared = try model.workload(
            recipe: recipe, assuming: densities, progress: progress)
        let entries = try configs.map { config in
            EnergyReport.Entry(config: config, cost: try cost(of: prepared, on: config))
        }
        var sweep: EnergySweep?
        if !axes.isEmpty { sweep = try self.sweep(model, prepared, progress) }
        return EnergyReport(
            model: model.name, phase: phase, batch: batch, policy: policy, prepared: prepared,
            entries: entries, sweep: sweep)
    }

    private func cost(of prepared: EnergyWorkload, on config: AcceleratorConfig) throws
        -> CostReport
    {
        try config.cost(of: prepared.workload, phase: phase, batch: batch, policy: policy)
    }

    /// - Throws: for values of axes that are not right.
    private func checkKeys() throws {
        for axis in axes {
            for value in axis.values {
                switch axis.target {
                case .accelerator(let path):
                    for accelerator in accelerators {
                        _ = try accelerator.config(overriding: [(path, value)], units: units)
                    }
                case .recipe(let key):
                    var recipe = recipe ?? Recipe()
                    try recipe.set(key, to: value)
                case .assumption(let key):
                    var densities = AssumedDensities()
                    try densities.set(key, to: value)
                }
            }
        }
    }

    private func sweep(
        _ model: EnergyModel, _ prepared: EnergyWorkload, _ progress: TaskProgress
    ) throws -> EnergySweep {
        let network = axes.filter { !$0.isOfAccelerator }
        let hardware = axes.filter(\.isOfAccelerator)
        var points: [EnergySweep.Point] = []
        for networkValues in SweepAxis.combinations(network) {
            let workload =
                networkValues.isEmpty
                ? prepared : try self.prepared(model, networkValues, progress)
            let combinations = SweepAxis.combinations(hardware)
            progress.begin("sweeping", total: combinations.count)
            for values in combinations {
                let changes = values.map { (path: $0.axis.path, value: $0.value) }
                for accelerator in accelerators {
                    let config = try accelerator.config(overriding: changes, units: units)
                    let cost = try cost(of: workload, on: config)
                    points.append(
                        EnergySweep.Point(
                            cost, relativeError: workload.relativeError,
                            settings: (networkValues + values).map { ($0.axis.key, $0.value) }))
                }
                try progress.advance(1, tensor: "")
            }
        }
        return EnergySweep(keys: axes.map(\.key), points: points)
    }

    private func prepared(
        _ model: EnergyModel, _ values: [(axis: SweepAxis, value: String)],
        _ progress: TaskProgress
    ) throws -> EnergyWorkload {
        var recipe = recipe
        var densities = densities
        for (axis, value) in values {
            switch axis.target {
            case .recipe(let key):
                var changed = recipe ?? Recipe()
                try changed.set(key, to: value)
                recipe = changed
            case .assumption(let key): try densities.set(key, to: value)
            case .accelerator: break
            }
        }
        return try model.workload(recipe: recipe, assuming: densities, progress: progress)
    }
}

extension Recipe {
    /// Sets a key for all weights, `bits` too.
    ///
    /// - Throws: ``DecompositionError`` `.invalidRecipe`.
    fileprivate mutating func set(_ key: String, to text: String) throws {
        let change = try Recipe(yaml: "\(key): \(text)")
        defaults += change.defaults
        bits = change.bits ?? bits
    }
}
