import DenseMath
import Networks
import PowerOfTwo
import Testing

@testable import Training

/// One coefficient a weight and a basis of 1, so that weights are coefficients and gradients of
/// weights are gradients of coefficients.
@Suite("Training of coefficients")
struct CoefficientTrainingTests {
    private func variable(
        _ coefficients: [Double], alphabet: Alphabet = .single,
        _ training: CoefficientTraining = .bucketSwitch(),
        _ change: (inout SmartDealTraining) -> Void = { _ in }
    ) throws -> SmartDealVariable {
        let geometry = try WeightGeometry(
            shape: [1, coefficients.count], unit: 1, width: 1, nibbles: 1,
            rowsPerSlice: coefficients.count, filtersPerBasis: 1, layout: .full)
        let symbols = try coefficients.map { value in
            let symbol = (0..<alphabet.symbolCount).first { alphabet[$0].first == value }
            return UInt8(try #require(symbol))
        }
        var packed = [UInt8](repeating: 0, count: geometry.symbolBytes(rows: symbols.count))
        ShiftKernels.selected.packNibbles(
            rows: symbols.count, nibbles: 1, symbols: symbols, planeStride: symbols.count,
            packed: &packed)
        let basis: [Float] = alphabet.coefficientsPerSymbol == 1 ? [1] : [1, 0]
        let weight = try SmartDealWeight(
            geometry: geometry, alphabet: alphabet, symbols: packed, rowMask: nil, groupMask: nil,
            basis: .float32(basis), scales: nil)
        var options = SmartDealTraining()
        options.coefficients = training
        options.basis = SGD(momentum: 0, weightDecay: 0)
        options.coefficientUpdate = SGD(momentum: 0, weightDecay: 0)
        change(&options)
        return try SmartDealVariable(name: "w", CompressedParameter(weight), options)
    }

    /// Updates with a gradient and takes the basis back to 1.
    private func move(
        _ variable: SmartDealVariable, _ gradient: [Float], rate: Float = 1, index: Int = 0
    ) {
        variable.update(gradient, rate: rate, index: index)
        variable.basis[0] = 1
        if variable.basis.count > 1 { variable.basis[1] = 0 }
    }

    @Test("a coefficient moves one step against its gradient, whatever its size")
    func step() throws {
        let variable = try variable([0.5, 0.5, -0.5, -0.5, 0, 0, 0x1p-6, 1, -1, 0.25])
        move(variable, [-3, 1e-6, 2, -1, 5, -5, 0.1, -1, 1, 0])
        #expect(variable.value() == [1, 0.25, -1, -0.25, -0x1p-6, 0x1p-6, 0, 1, -1, 0.25])
    }

    @Test("an update as large as the threshold counts as none")
    func threshold() throws {
        let variable = try variable(
            [0.5, 0.5, 0.5, 0.5], .bucketSwitch(switchBar: 1, dCThreshold: 0.25))
        let more = Float(0.5).nextUp
        move(variable, [0.5, -0.5, more, -more], rate: 0.5)
        #expect(variable.value() == [0.5, 0.5, 0.25, 1])
    }

    @Test("a bar of two needs two updates more of one sign than of the other")
    func bar() throws {
        let variable = try variable([0.5, 0.5, 0.5], .bucketSwitch(switchBar: 2))
        move(variable, [1, 1, -1])
        #expect(variable.value() == [0.5, 0.5, 0.5])
        #expect(variable.counters == [-1, -1, 1])
        move(variable, [1, -1, 0])
        #expect(variable.value() == [0.25, 0.5, 0.5])
        #expect(variable.counters == [0, 0, 1])
        move(variable, [1, -1, -1])
        #expect(variable.value() == [0.25, 0.5, 1])
        #expect(variable.counters == [-1, 1, 0])
    }

    @Test("counters begin each epoch at zero")
    func epoch() throws {
        let variable = try variable([0.5, 0], .bucketSwitch(switchBar: 2)) {
            $0.freezesZeros = true
        }
        move(variable, [1, 1])
        #expect(variable.counters == [-1, CoefficientRule.frozen])
        variable.beginEpoch()
        #expect(variable.counters == [0, CoefficientRule.frozen])
        move(variable, [1, 1])
        #expect(variable.value() == [0.5, 0])
    }

    @Test("limits of the ladder hold")
    func limits() throws {
        let variable = try variable([0.5, 0.25, 0, 1]) {
            $0.smallest = 0.2
            $0.largest = 0.5
        }
        move(variable, [-1, 1, -1, 1])
        #expect(variable.value() == [0.5, 0, 0.25, 0.5])
    }

    @Test("fed back, updates much smaller than a step of the ladder add up to what they are")
    func errorFeedback() throws {
        // Over 400 steps of 1/1000 a half passes the middles 0.75 up and 0.375 down.
        let start = [0.5, 0.5, -0.5, 0.5]
        let variable = try variable(start, .errorFeedback)
        for step in 0..<400 { move(variable, [-1, 1, 1, 0], rate: 1e-3, index: step) }
        #expect(variable.value() == [1, 0.125, -1, 0.5])
        // What is left over with the coefficient is the sum of all updates, but for chance: the
        // variance of a rounding is at most a quarter of a counter's worth squared.
        for (index, sum) in [0.9, 0.1, -0.9, 0.5].enumerated() {
            let coefficient = Double(variable.value()[index])
            let left = Double(variable.counters[index]) * abs(coefficient) / 128
            #expect(abs(coefficient + left - sum) < 5 * 20 * 0.5 / 128, "coefficient \(index)")
        }
    }

    @Test("fed back, rebuilt weights and what is left over move by the update of dense weights")
    func feedbackMovesWeights() throws {
        let (rows, width, steps, rate) = (40, 3, 200, Float(1e-3))
        var generator = SplitMix64(seed: 11)
        func random() -> Float { Float(Int64(bitPattern: generator.next())) * 0x1p-63 }
        let geometry = try WeightGeometry(
            shape: [1, rows * width], unit: 1, width: width, nibbles: width, rowsPerSlice: rows,
            filtersPerBasis: 1, layout: .full)
        let symbols = (0..<rows * width).map { UInt8($0 % Alphabet.single.symbolCount) }
        var packed = [UInt8](repeating: 0, count: geometry.symbolBytes(rows: rows))
        ShiftKernels.selected.packNibbles(
            rows: rows, nibbles: width, symbols: symbols, planeStride: rows, packed: &packed)
        let basis: [Float] = [0.9, 0.1, -0.3, 0.2, -0.8, 0.1, 0.5, 0.3, 1]
        var options = SmartDealTraining()
        options.coefficients = .errorFeedback
        options.basis = SGD(momentum: 0, weightDecay: 0)
        options.coefficientUpdate = SGD(momentum: 0, weightDecay: 0)
        let variable = try SmartDealVariable(
            name: "w",
            CompressedParameter(
                SmartDealWeight(
                    geometry: geometry, alphabet: .single, symbols: packed, rowMask: nil,
                    groupMask: nil, basis: .float32(basis), scales: nil)),
            options)
        let start = variable.basis
        /// Weights of the coefficients with what their counters hold.
        func weights() -> [Float] {
            var result = [Float](repeating: 0, count: rows * width)
            for row in 0..<rows {
                for i in 0..<width {
                    let symbol = Int(variable.symbols[i * rows + row])
                    let coefficient = Float(Alphabet.single[symbol].first ?? 0)
                    let left = Float(variable.counters[i * rows + row]) * abs(coefficient) / 128
                    for t in 0..<width {
                        result[row * width + t] += (coefficient + left) * basis[i * width + t]
                    }
                }
            }
            return result
        }
        let before = weights()
        let gradient = (0..<rows * width).map { _ in random() }
        for step in 0..<steps {
            variable.update(gradient, rate: rate, index: step)
            variable.basis = start
        }
        let wanted = gradient.map { -Float(steps) * rate * $0 }
        let moved = zip(weights(), before).map { $0 - $1 }
        let length = wanted.reduce(0) { $0 + $1 * $1 }
        let missing = zip(moved, wanted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        // Damping and the chance of rounding; a step alone is far below the rounding of most.
        #expect((missing / length).squareRoot() < 0.2)
    }

    @Test("fed back, the same seed gives the same counters and another seed others")
    func chance() throws {
        let counters = try [UInt64(1), 1, 2].map { seed in
            let variable = try variable(Array(repeating: 0.5, count: 40), .errorFeedback) {
                $0.seed = seed
            }
            for step in 0..<3 {
                variable.update(Array(repeating: 1, count: 40), rate: 1e-3, index: step)
            }
            return variable.counters
        }
        #expect(counters[0] == counters[1])
        #expect(counters[0] != counters[2])
        #expect(Set(counters[0]).count > 1)
    }

    @Test("coefficients that are zero at the start stay zero where they are to")
    func frozenZeros() throws {
        for training in [CoefficientTraining.bucketSwitch(), .requantise, .errorFeedback] {
            let variable = try variable([0, 0x1p-6, 0.5], training) { $0.freezesZeros = true }
            move(variable, [-1, 1, -1])
            #expect(variable.value()[0] == 0 && variable.value()[2] == 1)
            // One that became zero later comes back.
            if case .bucketSwitch = training {
                #expect(variable.value()[1] == 0)
                move(variable, [-1, -1, -1])
                #expect(variable.value() == [0, 0x1p-6, 1])
            }
        }
    }

    @Test("without zero in the alphabet a coefficient passes to the other sign")
    func quarters() throws {
        let variable = try variable([0.25, -0.25, 1, -1], alphabet: .quarters)
        move(variable, [1, -1, 1, -1])
        #expect(variable.value() == [-0.25, 0.25, 0.25, -0.25])
    }

    @Test("momentum, decay and Nesterov's momentum make the update that SGD makes")
    func momentum() throws {
        for isNesterov in [false, true] {
            let rule = SGD(momentum: 0.5, weightDecay: 0.25, isNesterov: isNesterov)
            let variable = try variable(
                [0.5], .bucketSwitch(switchBar: 100, dCThreshold: 0)
            ) { $0.coefficientUpdate = rule }
            move(variable, [1])
            #expect(variable.momentum == [1.125])
            move(variable, [-1])
            // 0.5 * 1.125 - 1 + 0.125; the update with Nesterov's is -0.875 + 0.5 of it.
            #expect(variable.momentum == [-0.3125])
            #expect(variable.counters == [0])
        }
        // Where the two differ in sign: momentum still positive, its look-ahead negative.
        for (isNesterov, counter) in [(false, Int8(-2)), (true, 0)] {
            let variable = try variable([0.5], .bucketSwitch(switchBar: 100)) {
                $0.coefficientUpdate = SGD(momentum: 0.5, weightDecay: 0, isNesterov: isNesterov)
            }
            move(variable, [1])
            move(variable, [-0.4])
            #expect(variable.counters == [counter])
        }
    }

    @Test("requantising moves to the nearest rung, from the middle on to the larger magnitude")
    func requantise() throws {
        let variable = try variable([0.5, 0.5, 0.5, -0.5, 0, 0, 0.5], .requantise)
        move(variable, [-0.25, -0.2, 0.125, -0.125, -0x1p-7, 0x1p-8, 1.5])
        #expect(variable.value() == [1, 0.5, 0.5, -0.5, 0x1p-6, 0, -1])
        #expect(variable.counters.isEmpty)
        let quarters = try self.variable([0.25, 1, 0.25], alphabet: .quarters, .requantise)
        move(quarters, [-0.375, 0.4, 0.3])
        #expect(quarters.value() == [1, 0.25, -0.25])
    }

    @Test("frozen coefficients stay, and take no memory of their own")
    func frozen() throws {
        let variable = try variable([0.5, 0, -1], .frozen) { $0.basis = SGD() }
        variable.update([1, 1, 1])
        #expect(variable.value().map { $0.sign } == [.plus, .plus, .minus])
        #expect(variable.basis[0] != 1)
        #expect(variable.symbols == (try self.variable([0.5, 0, -1])).symbols)
        #expect(variable.bytes.optimizer == 4)
    }

    @Test("the first coefficient of a symbol moves before the second, both from one gradient")
    func twoCoefficients() throws {
        let geometry = try WeightGeometry(
            shape: [1, 2], unit: 1, width: 1, nibbles: 1, rowsPerSlice: 2, filtersPerBasis: 1,
            layout: .full)
        // Moving the first opens the second's way to (0.5, 1); the other way there is no pattern.
        let alphabet = try Alphabet(
            name: "steps", symbols: [[1, 0.5], [0.5, 0.5], [0.5, 1]])
        let weight = try SmartDealWeight(
            geometry: geometry, alphabet: alphabet, symbols: [0x10], rowMask: nil, groupMask: nil,
            basis: .float32([1, -1]), scales: nil)
        var options = SmartDealTraining()
        options.coefficientUpdate = SGD(momentum: 0, weightDecay: 0)
        let variable = try SmartDealVariable(name: "w", CompressedParameter(weight), options)
        variable.update([1, -1])
        // (1, .5) goes to (.5, .5), then to (.5, 1); (.5, .5) goes to (1, .5), then wants 0.
        #expect(variable.symbols == [2, 0])
    }
}
