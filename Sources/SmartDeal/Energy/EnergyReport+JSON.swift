import Accelerator

extension EnergyReport: Encodable {
    public func encode(to encoder: any Encoder) throws {
        try EnergyDocument(self).encode(to: encoder)
    }
}

/// The JSON of a report. Energies are in pJ.
private struct EnergyDocument: Encodable {
    struct Number: Encodable {
        let value: Double
        /// `measured`, `assumed` or `from shapes`.
        let source: String

        init(_ number: Sourced<Double>) {
            value = number.value
            source = number.provenance.rawValue
        }
    }

    struct WorkloadLayer: Encodable {
        let name: String
        let operation: String
        let channels: Int
        let filters: Int
        let kernel: [Int]
        let stride: [Int]
        let groups: Int
        let input: [Int]
        let output: [Int]
        let weights: Int
        let macs: Int
        let weight_rows: Number
        let weight_elements: Number
        let activation_rows: Number
        let activation_elements: Number
        let output_elements: Number
        let booth_digits: Number

        init(_ layer: LayerWorkload) {
            let shape = layer.shape
            name = layer.name
            operation = layer.operation.rawValue
            channels = shape.channels
            filters = shape.filters
            kernel = [shape.kernelHeight, shape.kernelWidth]
            stride = [shape.strideHeight, shape.strideWidth]
            groups = shape.groups
            input = [shape.inputHeight, shape.inputWidth]
            output = [shape.outputHeight, shape.outputWidth]
            weights = shape.weights
            macs = shape.macs
            weight_rows = Number(layer.weights.rowDensity)
            weight_elements = Number(layer.weights.elementDensity)
            activation_rows = Number(layer.activations.rowDensity)
            activation_elements = Number(layer.activations.elementDensity)
            output_elements = Number(layer.activations.outputDensity)
            booth_digits = Number(layer.activations.meanDigits)
        }
    }

    struct Layer: Encodable {
        let name: String
        let operation: String
        let pass: String
        let macs: Double
        let performed_macs: Double
        let total_pJ: Double
        /// By where it goes: their sum is the total.
        let energy_pJ: [String: Double]
        /// pJ of moving each kind of data, through all memories.
        let by_data: [String: Double]
        let dram_bytes: Double
        let cycles: Double
        let compute_cycles: Double
        let bound: String

        init(_ cost: LayerCost) {
            name = cost.name
            operation = cost.operation.rawValue
            pass = cost.pass.rawValue
            macs = cost.macs
            performed_macs = cost.performedMACs
            total_pJ = cost.energy
            var energy = ["compute": cost.computeEnergy, "rebuild": cost.rebuildEnergy]
            for level in MemoryLevel.allCases { energy[level.rawValue] = cost.energy(at: level) }
            energy_pJ = energy
            by_data = Dictionary(
                uniqueKeysWithValues: DataKind.allCases.map { ($0.rawValue, cost.energy(of: $0)) })
            dram_bytes = cost.bytes(at: .dram)
            cycles = cost.cycles
            compute_cycles = cost.computeCycles
            bound = cost.bound.rawValue
        }
    }

    struct Storage: Encodable {
        let weights: Double
        let dense_weights: Double
        let gradients: Double
        let optimizer: Double
        let activations: Double

        init(_ storage: StorageCost) {
            weights = storage.weights
            dense_weights = storage.denseWeights
            gradients = storage.gradients
            optimizer = storage.optimizer
            activations = storage.activations
        }
    }

    struct Parameter: Encodable {
        let path: String
        let value: Double
        let reason: String
    }

    struct Accelerator: Encodable {
        let array: String
        let units: String
        let clock_hz: Double
        let total_pJ: Double
        let cycles: Double
        let seconds: Double
        let macs: Double
        let performed_macs: Double
        let energy_pJ: [String: Double]
        let dram_share: Double
        let dram_bytes: Double
        let bound: String
        let storage_bytes: Storage
        let assumptions: [String]
        let calibrated: [Parameter]
        let layers: [Layer]

        init(_ cost: CostReport, assumptions: [String]) {
            array = cost.array
            units = cost.units
            clock_hz = cost.clock
            total_pJ = cost.energy
            cycles = cost.cycles
            seconds = cost.seconds
            macs = cost.macs
            performed_macs = cost.performedMACs
            var energy = ["compute": cost.computeEnergy, "rebuild": cost.rebuildEnergy]
            for level in MemoryLevel.allCases { energy[level.rawValue] = cost.energy(at: level) }
            energy_pJ = energy
            dram_share = cost.dramShare
            dram_bytes = cost.bytes(at: .dram)
            bound = cost.mostBinding.resource.rawValue
            storage_bytes = Storage(cost.storage)
            self.assumptions = assumptions
            calibrated = cost.calibrations.map {
                Parameter(path: $0.path, value: $0.value, reason: $0.reason)
            }
            layers = cost.layers.map(Layer.init)
        }
    }

    let network: String
    let phase: String
    let batch: Int
    let policy: String
    let assumptions: [String]
    let not_modelled: [String]
    /// ‖W - rebuilt‖ / ‖W‖ when weights were compressed for this.
    let relative_error: Double?
    let workload: [WorkloadLayer]
    let accelerators: [String: Accelerator]
    let sweep: EnergySweep?

    init(_ report: EnergyReport) {
        network = report.model
        phase = report.phase.rawValue
        batch = report.batch
        policy = report.policy.rawValue
        assumptions = report.assumptions
        not_modelled = report.notModelled
        relative_error = report.prepared.relativeError
        workload = report.prepared.workload.layers.map(WorkloadLayer.init)
        accelerators = Dictionary(
            uniqueKeysWithValues: report.entries.map { entry in
                (
                    entry.cost.accelerator,
                    Accelerator(entry.cost, assumptions: report.ownAssumptions(entry.cost))
                )
            })
        sweep = report.sweep
    }
}
