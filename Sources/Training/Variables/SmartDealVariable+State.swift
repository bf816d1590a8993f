internal import PowerOfTwo

extension SmartDealVariable {
    package func state() -> [String: StateArray] {
        var state: [String: StateArray] = [
            "symbols": .uint8(symbols), "basis": .float32(basis),
        ]
        for (index, moment) in basisMoments.enumerated() {
            state["basis.moment\(index)"] = .float32(moment)
        }
        if !momentum.isEmpty { state["coefficients.moment0"] = .float32(momentum) }
        if !counters.isEmpty { state["counters"] = .int8(counters) }
        return state
    }

    package func restore(_ state: [String: StateArray]) throws {
        func fail(_ message: String) -> TrainingError {
            TrainingError(.invalidCheckpoint, message, path: name)
        }
        func floats(_ part: String, _ count: Int) throws -> [Float] {
            guard case .float32(let floats)? = state[part], floats.count == count else {
                throw fail("expected \(count) floats named '\(part)'")
            }
            return floats
        }
        guard case .uint8(let symbols)? = state["symbols"], symbols.count == self.symbols.count
        else { throw fail("expected \(self.symbols.count) bytes named 'symbols'") }
        if let symbol = symbols.first(where: { $0 >= Alphabet.capacity }) {
            throw fail("'symbols' are below \(Alphabet.capacity), not \(symbol)")
        }
        let basis = try floats("basis", self.basis.count)
        let basisMoments = try self.basisMoments.indices.map {
            try floats("basis.moment\($0)", basis.count)
        }
        let momentum =
            self.momentum.isEmpty ? [] : try floats("coefficients.moment0", self.momentum.count)
        var counters: [Int8] = []
        if !self.counters.isEmpty {
            guard case .int8(let values)? = state["counters"], values.count == self.counters.count
            else { throw fail("expected \(self.counters.count) signed bytes named 'counters'") }
            let bound =
                switch options.coefficients {
                case .bucketSwitch(let switchBar, _): switchBar
                case .errorFeedback: 128
                case .requantise, .frozen: 1
                }
            for value in values where value != CoefficientRule.frozen && abs(Int(value)) >= bound {
                throw fail("'counters' are below \(bound), not \(value)")
            }
            counters = values
        }
        self.symbols = symbols
        self.basis = basis
        self.basisMoments = basisMoments
        self.momentum = momentum
        self.counters = counters
    }
}
