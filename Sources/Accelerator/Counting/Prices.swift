/// What an accelerator's accesses and operations cost, looked up once, so that a missing unit is
/// found before anything is counted.
struct Prices {
    let dram: Double
    let register: Double
    /// Nil in a table without it; arrays with links need it.
    let link: Double?
    let input: (read: Double, write: Double)
    let output: (read: Double, write: Double)
    let weight: (read: Double, write: Double)
    let index: (read: Double, write: Double)
    /// pJ of a product, for serial units of one digit of it.
    let product: Double
    /// pJ of an addition that rebuilds.
    let rebuildAdd: Double
    /// pJ of one weight's or coefficient's update.
    let update: Double

    /// - Throws: ``AcceleratorError`` `.missingUnit`.
    init(_ config: AcceleratorConfig, phase: Phase) throws {
        let table = config.units
        dram = try table.energy(.dram)
        register = try table.energy(.register)
        switch config.dataflow {
        case .cartesianProduct, .rowStationary: link = try table.energy(.link)
        default: link = nil
        }
        func price(_ buffer: AcceleratorConfig.Buffer) throws -> (read: Double, write: Double) {
            if let own = buffer.picojoulesPerByte { return (own, own) }
            return try table.buffer(bytes: buffer.bytes / buffer.banks)
        }
        input = try price(config.inputBuffer)
        output = try price(config.outputBuffer)
        weight = try price(config.weightBuffer)
        index = try config.indexBuffer.map(price) ?? weight
        let width = EnergyUnit.width(of: max(config.bits.activation, config.bits.weight))
        switch config.mac {
        case .parallel:
            product =
                phase == .training && config.training.floats
                ? try table.energy(.floatMultiply(32)) + table.energy(.floatAdd(32))
                : try table.energy(.mac(width))
        case .boothSerial:
            // A digit of two bits selects a multiple of the weight, which is added.
            let digits = Double(width) / 2
            product = try table.energy(.multiply(width)) / digits + table.energy(.add(width))
        }
        rebuildAdd = config.weightFormat == .smartdeal ? try table.energy(.add(8)) : 0
        guard phase == .training else {
            update = 0
            return
        }
        switch config.training.update {
        case .sgd:
            update = 2 * (try table.energy(.floatMultiply(32)) + table.energy(.floatAdd(32)))
        case .bucketSwitch: update = 2 * (try table.energy(.mac(8)))
        }
    }
}

extension EnergyUnit {
    /// The width of the units that take words of `bits` bits.
    static func width(of bits: Double) -> Int { widths.first { Double($0) >= bits } ?? 64 }
}
