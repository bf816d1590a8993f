import DenseMath
import Networks
import PowerOfTwo
import Testing

@testable import Training

extension SmartDealVariable {
    /// The dense value.
    func value(threads: Int = 1) -> [Float] {
        let count = shape.reduce(1, *)
        return [Float](unsafeUninitializedCapacity: count) { out, initialized in
            if let start = out.baseAddress { write(to: start, threads: threads) }
            initialized = count
        }
    }

    func update(_ gradient: [Float], rate: Float = 0.1, index: Int = 0, threads: Int = 1) {
        var gradient = gradient
        gradient.withUnsafeMutableBufferPointer {
            if let start = $0.baseAddress {
                update(start, UpdateStep(learningRate: rate, index: index), threads: threads)
            }
        }
    }

    /// A gradient with NaN where it is undefined.
    func gradient(_ random: inout TestRandom) -> [Float] {
        var gradient = random.floats(shape.reduce(1, *))
        let geometry = original.weight.geometry
        for filter in 0..<geometry.filterCount {
            guard let mask = original.weight.mask(ofGroup: filter / 32) else { continue }
            for i in 0..<geometry.filterLength where !mask[i / geometry.unit] {
                let place =
                    original.isTransposed
                    ? i * geometry.filterCount + filter : filter * geometry.filterLength + i
                gradient[place] = .nan
            }
        }
        return gradient
    }
}

private func training(_ change: (inout SmartDealTraining) -> Void = { _ in }) -> SmartDealTraining {
    var options = SmartDealTraining()
    change(&options)
    return options
}

@Suite("SmartDeal variables")
struct SmartDealVariableTests {
    @Test("the value has the bits of the rebuilt weight", arguments: WeightCase.cases)
    func value(test: WeightCase) throws {
        let parameter = try test.parameter()
        let variable = try SmartDealVariable(name: "w", parameter, SmartDealTraining())
        let expected = parameter.rebuilt().floats
        #expect(variable.shape == parameter.shape)
        #expect(variable.value() == expected)
        #expect(variable.value(threads: 2) == expected)
    }

    @Test("without training a weight packs back to itself", arguments: WeightCase.cases)
    func roundTrip(test: WeightCase) throws {
        let parameter = try test.parameter()
        let variable = try SmartDealVariable(name: "w", parameter, SmartDealTraining())
        guard case .smartDeal(let again) = try variable.parameter() else {
            Issue.record("not in SmartDeal form")
            return
        }
        #expect(again == parameter)
        #expect(variable.bytes.weights == parameter.weight.byteCount)
    }

    @Test("both gradients are those of plain loops in double", arguments: WeightCase.cases)
    func gradients(test: WeightCase) throws {
        let parameter = try test.parameter()
        var random = TestRandom(test.seed + 100)
        // One step from zero momentum leaves the gradient in it.
        let plainStep = SGD(momentum: 0.5, weightDecay: 0)
        let variable = try SmartDealVariable(
            name: "w", parameter,
            training {
                $0.basis = plainStep
                $0.coefficientUpdate = plainStep
            })
        let plain = PlainSmartDeal(parameter)
        let gradient = variable.gradient(&random)
        let weight = parameter.weight
        let expected = plain.gradients(
            gradient, symbols: variable.symbols,
            basis: (0..<weight.basis.count).map { Double(weight.basis[$0]) })
        let size = weight.rank * weight.geometry.width
        let exponents = variable.basisExponents
        variable.update(gradient)
        for (index, wanted) in expected.basis.enumerated() {
            // The basis learns times a power of two, so its gradient is divided by it.
            let factor = Double(sign: .plus, exponent: exponents[index / size], significand: 1)
            let found = Double(variable.basisMoments[0][index]) * factor
            #expect(abs(found - wanted.sum) <= 1e-5 * wanted.size + 1e-30, "dB \(index)")
        }
        #expect(expected.coefficients.count == variable.momentum.count)
        for (index, wanted) in expected.coefficients {
            let found = Double(variable.momentum[index])
            #expect(abs(found - wanted.sum) <= 1e-5 * wanted.size + 1e-30, "dC \(index)")
        }
    }

    @Test(
        "a pruned position stays zero through training, on any number of threads the same",
        arguments: WeightCase.cases)
    func prunedStaysZero(test: WeightCase) throws {
        let parameter = try test.parameter()
        let options = training { $0.coefficients = .bucketSwitch(switchBar: 2) }
        let variables = try [1, 2].map { threads in
            (try SmartDealVariable(name: "w", parameter, options), threads)
        }
        let kept = Set(PlainSmartDeal(parameter).rows.flatMap { $0.places.compactMap { $0 } })
        for (variable, threads) in variables {
            var random = TestRandom(test.seed + 200)
            for step in 0..<4 {
                let gradient = variable.gradient(&random)
                variable.update(gradient, index: step, threads: threads)
            }
            let value = variable.value()
            #expect(value.allSatisfy { $0.isFinite })
            for (index, weight) in value.enumerated() where !kept.contains(index) {
                #expect(weight == 0, "at \(index)")
            }
            guard case .smartDeal(let packed) = try variable.parameter() else { continue }
            #expect(packed.weight.byteCount == variable.bytes.weights)
            #expect(packed.weight.rowMask == parameter.weight.rowMask)
            #expect(packed.weight.groupMask == parameter.weight.groupMask)
            if test.hasFloatBasis { #expect(packed.rebuilt().floats == value) }
        }
        #expect(variables[0].0.state() == variables[1].0.state())
    }

    @Test("kept positions are those of the group masks")
    func keptPositions() throws {
        var test = WeightCase()
        test.shape = [40, 8, 3, 3]
        let dense = try SmartDealVariable(name: "w", test.parameter(), SmartDealTraining())
        #expect(dense.keptPositions == nil)
        test.hasGroupMask = true
        let weight = try test.weight()
        let variable = try SmartDealVariable(
            name: "w", CompressedParameter(weight), SmartDealTraining())
        let kept = try #require(variable.keptPositions)
        #expect(kept.unit == 3 && kept.groups.count == 2)
        for (group, positions) in kept.groups.enumerated() {
            let mask = try #require(weight.mask(ofGroup: group))
            #expect(positions == (0..<24).filter { mask[$0] })
        }
    }

    @Test("a state taken up goes on bit for bit", arguments: WeightCase.cases.prefix(16))
    func state(test: WeightCase) throws {
        let parameter = try test.parameter()
        let options = training {
            $0.coefficients = .bucketSwitch(switchBar: 3, dCThreshold: 0.001)
            $0.freezesZeros = test.seed % 2 == 0
        }
        let first = try SmartDealVariable(name: "w", parameter, options)
        let second = try SmartDealVariable(name: "w", parameter, options)
        var random = TestRandom(test.seed)
        let gradients = (0..<5).map { _ in first.gradient(&random) }
        for step in 0..<3 { first.update(gradients[step], index: step) }
        try second.restore(first.state())
        #expect(second.state() == first.state())
        for step in 3..<5 {
            first.update(gradients[step], index: step)
            second.update(gradients[step], index: step)
        }
        #expect(second.state() == first.state())
        #expect(second.value() == first.value())
    }

    @Test("a state that is damaged or of another weight is refused and changes nothing")
    func damagedState() throws {
        let options = training { $0.coefficients = .bucketSwitch(switchBar: 3) }
        let variable = try SmartDealVariable(name: "w", WeightCase().parameter(), options)
        let good = variable.state()
        var bad: [[String: StateArray]] = good.keys.map { key in
            var state = good
            state[key] = nil
            return state
        }
        for (key, array) in [
            "symbols": StateArray.uint8(Array(repeating: 16, count: variable.symbols.count)),
            "counters": .int8(Array(repeating: 3, count: variable.counters.count)),
            "basis": .float32([1]), "basis.moment0": .int8([1]),
        ] {
            bad.append(good)
            bad[bad.count - 1][key] = array
        }
        for state in bad {
            let error = #expect(throws: TrainingError.self) { try variable.restore(state) }
            #expect(error?.code == .invalidCheckpoint && error?.path == "w")
        }
        #expect(variable.state() == good)
    }

    @Test("options out of their range are refused")
    func options() throws {
        let wrong: [(inout SmartDealTraining) -> Void] = [
            { $0.coefficients = .bucketSwitch(switchBar: 0) },
            { $0.coefficients = .bucketSwitch(switchBar: 128) },
            { $0.coefficients = .bucketSwitch(dCThreshold: -1) },
            { $0.coefficients = .bucketSwitch(dCThreshold: .nan) },
            { $0.smallest = -1 }, { $0.smallest = .infinity }, { $0.largest = 0 },
            {
                $0.smallest = 2
                $0.largest = 1
            },
        ]
        for change in wrong {
            let error = #expect(throws: TrainingError.self) {
                try SmartDealVariable(name: "w", WeightCase().parameter(), training(change))
            }
            #expect(error?.code == .invalidOption && error?.path == "w")
        }
    }

    @Test("a basis that is no longer finite does not pack")
    func notFinite() throws {
        let variable = try SmartDealVariable(
            name: "w", WeightCase().parameter(), SmartDealTraining())
        variable.basis[0] = .infinity
        let error = #expect(throws: TrainingError.self) { try variable.parameter() }
        #expect(error?.code == .notANumber && error?.path == "w")
    }
}
