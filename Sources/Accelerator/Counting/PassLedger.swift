/// Counts what a pass moves and computes, and what that costs.
struct PassLedger {
    let config: AcceleratorConfig
    let prices: Prices
    private(set) var cost: LayerCost

    init(_ config: AcceleratorConfig, _ prices: Prices, _ layer: LayerWorkload, _ pass: Pass) {
        self.config = config
        self.prices = prices
        cost = LayerCost(
            name: layer.name, operation: layer.operation, pass: pass, macs: 0, performedMACs: 0,
            shiftAdds: 0, rebuildAdds: 0, accesses: [], computeEnergy: 0, rebuildEnergy: 0,
            computeCycles: 0, resourceCycles: [.compute: 0])
    }

    /// Counts words at a price a byte.
    mutating func add(
        _ level: MemoryLevel, _ data: DataKind, bits: Double, reads: Double = 0,
        writes: Double = 0, _ price: (read: Double, write: Double)
    ) {
        guard reads > 0 || writes > 0 else { return }
        let energy = (reads * price.read + writes * price.write) * bits / 8
        if let known = cost.accesses.firstIndex(where: {
            $0.level == level && $0.data == data && $0.bits == bits
        }) {
            cost.accesses[known].reads += reads
            cost.accesses[known].writes += writes
            cost.accesses[known].energy += energy
        } else {
            cost.accesses.append(
                Access(
                    level: level, data: data, bits: bits, reads: reads, writes: writes,
                    energy: energy))
        }
    }

    mutating func dram(_ stream: Stream, reads: Double = 0, writes: Double = 0) {
        add(
            .dram, stream.data, bits: stream.bits, reads: stream.words * reads,
            writes: stream.words * writes, (prices.dram, prices.dram))
    }

    /// From DRAM through the input buffer: read once there unless the array reads otherwise.
    mutating func input(_ streams: [Stream], times: Double, arrayReads: Double) {
        for (place, stream) in streams.enumerated() {
            dram(stream, reads: times)
            add(
                .sram, stream.data, bits: stream.bits,
                reads: place == 0 ? arrayReads : stream.words * times,
                writes: stream.words * times,
                stream.data == .index ? prices.index : prices.input)
        }
    }

    /// From DRAM through the weight buffer to the array.
    mutating func weights(_ streams: [Stream], times: Double, passes: Double) {
        for stream in streams {
            dram(stream, reads: times)
            add(
                .sram, stream.data, bits: stream.bits,
                reads: stream.words * max(times, passes), writes: stream.words * times,
                stream.data == .index ? prices.index : prices.weight)
        }
    }

    /// What the array does beside its buffers.
    mutating func array(
        _ activity: ArrayActivity, _ work: PassWork, digits: Double, input: DataKind
    ) {
        let bits = config.bits
        func stream(_ operand: ArrayActivity.Operand) -> (DataKind, Double) {
            switch operand {
            case .input: (input, bits.activation)
            case .weight: (.weight, bits.weight)
            case .partialSum: (.partialSum, bits.partialSum)
            }
        }
        for register in activity.registers {
            let (data, bits) = stream(register.data)
            add(
                .registers, data, bits: bits, reads: register.reads, writes: register.writes,
                (prices.register, prices.register))
        }
        if let link = prices.link {
            for hop in activity.links {
                let (data, bits) = stream(hop.data)
                add(.links, data, bits: bits, writes: hop.words, (link, link))
            }
        }
        add(
            .sram, .partialSum, bits: bits.partialSum, reads: activity.spilledReads,
            writes: activity.spilledWrites, prices.output)
        cost.macs = work.batch * Double(work.shape.macs)
        cost.performedMACs = work.performed
        compute(activity.products, digits: digits)
        cost.computeCycles = activity.cycles / config.utilization
    }

    mutating func compute(_ products: Double, digits: Double) {
        if config.mac == .boothSerial {
            cost.shiftAdds += products * digits
            cost.computeEnergy += products * digits * prices.product
        } else {
            cost.computeEnergy += products * prices.product
        }
    }

    mutating func update(_ count: Double) {
        cost.computeEnergy += count * prices.update
        cost.computeCycles += count / Double(config.dataflow.units)
    }

    /// Every coefficient is added, shifted, to the weights of its row.
    mutating func rebuild(_ stored: StoredWeights, passes: Double) {
        guard let (coefficients, width) = stored.rebuilt else { return }
        let adds = coefficients * width * passes
        cost.rebuildAdds += adds
        cost.rebuildEnergy += adds * prices.rebuildAdd
        add(
            .registers, .basis, bits: config.bits.basis, reads: adds,
            (prices.register, prices.register))
    }

    /// Cycles of everything that was counted.
    mutating func finish() {
        cost.resourceCycles[.compute] = cost.computeCycles
        cost.resourceCycles[.dram] = cost.bytes(at: .dram) / config.dramBytesPerCycle
        let ports: [(Resource, AcceleratorConfig.Buffer, Set<DataKind>)] = [
            (.inputPort, config.inputBuffer, cost.pass == .backwardInput ? [.error] : [.input]),
            (.weightPort, config.weightBuffer, [.weight, .coefficient, .basis, .gradient]),
            (.outputPort, config.outputBuffer, [.output, .partialSum]),
        ]
        for (resource, buffer, data) in ports {
            guard let width = buffer.bytesPerCycle else { continue }
            let bytes = cost.accesses.reduce(0) {
                $1.level == .sram && data.contains($1.data) ? $0 + $1.bytes : $0
            }
            cost.resourceCycles[resource] = bytes / width
        }
    }
}
