internal import DenseMath
package import DensePrimitives
package import Networks
internal import PowerOfTwo

/// A weight that learns in SmartDeal form: it lives as symbols, masks, basis and scales, and is
/// dense only where a step of a plan asks for it.
package final class SmartDealVariable: Variable {
    package let name: String
    package let shape: [Int]
    package let storage: PlanMemory? = nil
    package let keptPositions: KeptPositions?

    /// The weight as it was at the start: masks, scales, and the form that it goes back to.
    let original: CompressedParameter
    let options: SmartDealTraining
    let rows: StoredRows
    /// The scales of slices of filters, each less the power of two that its basis has.
    private let scales: [Float]
    /// For each basis the exponent of two that it holds of its scales, so that the basis learns at
    /// the magnitude that the weights have; a power of two leaves all products their bits.
    let basisExponents: [Int]
    private let rule: CoefficientRule?
    private let coefficientTables: [Float]

    /// A byte for each symbol, see ``SmartDealWeight/symbolPlanes(_:)``.
    var symbols: [UInt8]
    /// `[basisCount, rank, width]`.
    var basis: [Float]
    var basisMoments: [[Float]]
    /// Momentum of the coefficients, plane by plane as the symbols; empty where there is none.
    var momentum: [Float]
    /// Counters of bucket switching in the same order, `CoefficientRule.frozen` for a coefficient
    /// that never moves; empty where there is neither.
    var counters: [Int8]

    /// - Throws: ``TrainingError`` `.invalidOption`.
    package init(
        name: String, _ parameter: CompressedParameter, _ options: SmartDealTraining
    ) throws {
        do {
            try options.validate()
        } catch var error as TrainingError {
            error.path = name
            throw error
        }
        let weight = parameter.weight
        let geometry = weight.geometry
        self.name = name
        self.options = options
        shape = parameter.shape
        original = parameter
        rows = StoredRows(weight)
        keptPositions = weight.groupMask.map { _ in
            KeptPositions(
                unit: geometry.unit,
                groups: (0..<geometry.groupCount).map {
                    weight.mask(ofGroup: $0)?.setIndexes ?? []
                })
        }
        basisExponents = Self.exponents(weight)
        (scales, basis) = Self.normalized(weight, basisExponents)
        coefficientTables = weight.alphabet.coefficientTables
        symbols = weight.symbolPlanes(rows)

        let ladder = CoefficientLadder(
            weight.alphabet, smallest: options.smallest, largest: options.largest)
        let update = options.coefficientUpdate
        let move: CoefficientRule.Move? =
            switch options.coefficients {
            case .bucketSwitch(let bar, let threshold):
                .bucketSwitch(bar: bar, threshold: threshold)
            case .requantise: .requantise
            case .errorFeedback: .errorFeedback
            case .frozen: nil
            }
        rule = move.map {
            CoefficientRule(
                weight.alphabet, ladder, $0, inertia: update.momentum, decay: update.weightDecay,
                isNesterov: update.isNesterov)
        }
        let coefficientCount = rows.count * weight.rank
        basisMoments =
            options.basis.momentum == 0 ? [] : [Array(repeating: 0, count: basis.count)]
        momentum = Array(
            repeating: 0, count: rule == nil || update.momentum == 0 ? 0 : coefficientCount)
        let counts =
            switch options.coefficients {
            case .bucketSwitch, .errorFeedback: true
            case .requantise, .frozen: false
            }
        let freezes = options.freezesZeros && rule != nil
        counters = Array(repeating: 0, count: counts || freezes ? coefficientCount : 0)
        if freezes { freezeZeros() }
    }

    /// Freezes coefficients that are zero.
    private func freezeZeros() {
        let c = original.weight.alphabet.coefficientsPerSymbol
        let n = original.weight.geometry.nibbles
        for (start, end) in zip(rows.starts, rows.starts.dropFirst()) {
            let stored = end - start
            for j in 0..<n {
                for row in 0..<stored {
                    let symbol = Int(symbols[start * n + j * stored + row])
                    for k in 0..<c where coefficientTables[k * Alphabet.capacity + symbol] == 0 {
                        counters[start * n * c + (j * c + k) * stored + row] =
                            CoefficientRule.frozen
                    }
                }
            }
        }
    }

    /// The chance of a step: another for every weight and seed.
    private func key(ofStep index: Int) -> UInt64 {
        // FNV-1a, whose result, other than that of `hashValue`, is the same in every process.
        let ofName = name.utf8.reduce(0xCBF2_9CE4_8422_2325) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        var mixer = SplitMix64(seed: ofName ^ options.seed &+ UInt64(index) << 20)
        return mixer.next()
    }

    /// Loops that are worth more than one thread.
    private func threads(_ threads: Int) -> Int {
        original.weight.geometry.weightCount >= 1 << 16 ? threads : 1
    }

    package func write(to value: UnsafeMutablePointer<Float>, threads: Int) {
        let geometry = original.weight.geometry
        nonisolated(unsafe) let value = value
        symbols.withUnsafeBufferPointer { symbols in
            basis.withUnsafeBufferPointer { basis in
                guard let basis = basis.baseAddress else { return }
                nonisolated(unsafe) let parts = (symbols.baseAddress, basis)
                let (alphabet, rows, scales) = (original.weight.alphabet, rows, scales)
                let isTransposed = original.isTransposed
                ParallelLoop.run(geometry.groupCount, threads: self.threads(threads)) { group in
                    let filters = geometry.filters(ofGroup: group)
                    let dense = DenseGroup(geometry, filters, isTransposed: isTransposed)
                    let scratch = LearningScratch(rows, alphabet)
                    for filter in filters {
                        scratch.rebuild(
                            filter, rows, symbols: parts.0, basis: parts.1, scales,
                            into: dense.filter(filter, of: value))
                    }
                    dense.putTransposed(into: value)
                }
            }
        }
    }

    package func update(
        _ gradient: UnsafeMutablePointer<Float>, _ step: UpdateStep, threads: Int
    ) {
        let geometry = original.weight.geometry
        let isTransposed = original.isTransposed
        let (alphabet, rows, scales) = (original.weight.alphabet, rows, scales)
        let tables = coefficientTables
        let rule = rule?.at(
            rate: options.coefficientRate * step.learningRate, key: key(ofStep: step.index))
        nonisolated(unsafe) let gradient = gradient
        var basisGradient = [Float](repeating: 0, count: basis.count)
        basisGradient.withUnsafeMutableBufferPointer { basisGradient in
            withLearningState { state in
                guard let start = basisGradient.baseAddress else { return }
                nonisolated(unsafe) let (state, sums) = (state, start)
                // A group has its bases for itself.
                ParallelLoop.run(geometry.groupCount, threads: self.threads(threads)) { group in
                    let filters = geometry.filters(ofGroup: group)
                    let dense = DenseGroup(geometry, filters, isTransposed: isTransposed)
                    let scratch = LearningScratch(rows, alphabet)
                    dense.takeTransposed(from: gradient)
                    for filter in filters {
                        scratch.learn(
                            filter, rows, state, scales, tables, rule,
                            gradient: dense.filter(filter, of: gradient), to: sums)
                    }
                }
            }
            basis.withUnsafeMutableBufferPointer {
                options.basis.update($0, basisGradient, &basisMoments, step)
            }
        }
    }

    private func withLearningState(_ body: (LearningState) -> Void) {
        symbols.withUnsafeMutableBufferPointer { symbols in
            momentum.withUnsafeMutableBufferPointer { momentum in
                counters.withUnsafeMutableBufferPointer { counters in
                    basis.withUnsafeBufferPointer { basis in
                        guard let symbolStart = symbols.baseAddress,
                            let basisStart = basis.baseAddress
                        else { return }
                        body(
                            LearningState(
                                symbols: symbolStart, basis: basisStart,
                                momentum: momentum.isEmpty ? nil : momentum.baseAddress,
                                counters: counters.isEmpty ? nil : counters.baseAddress))
                    }
                }
            }
        }
    }

    /// Its symbols, a byte each, in an order of its own.
    package var currentSymbols: [UInt8] { symbols }

    package func beginEpoch() {
        guard case .bucketSwitch = options.coefficients else { return }
        for i in counters.indices where counters[i] != CoefficientRule.frozen { counters[i] = 0 }
    }

    package func parameter() throws -> Parameter {
        let size = basis.count / basisExponents.count
        var values = basis
        for index in values.indices {
            values[index] = Float(
                Double(values[index]) * Self.power(-basisExponents[index / size]))
        }
        do {
            let weight = try original.weight.repacked(rows, planes: symbols, basis: values)
            return .smartDeal(CompressedParameter(weight, isTransposed: original.isTransposed))
        } catch let error as PowerOfTwoError where error.code == .nonFinite {
            throw TrainingError(.notANumber, error.message, path: name)
        }
    }

    package var bytes: VariableBytes {
        let floats = basisMoments.count * basis.count + momentum.count
        var optimizer = floats * MemoryLayout<Float>.stride + counters.count
        // What learns of a basis of integers is a copy in floats.
        if original.weight.basis.bits == 8 {
            optimizer += basis.count * MemoryLayout<Float>.stride
        }
        return VariableBytes(weights: original.weight.byteCount, optimizer: optimizer)
    }
}
