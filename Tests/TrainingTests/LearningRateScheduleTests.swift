import Testing

@testable import Training

@Suite("Learning-rate schedules") struct LearningRateScheduleTests {
    private static let schedules: [String: LearningRateSchedule] = [
        "constant": .constant,
        "step": .step(every: 3, factor: 0.5),
        "linear": .linear,
        "cosine": .cosine,
        "one-cycle": .oneCycle,
        "paper": .paper(until: nil, floor: 0.01),
        "paper-swa": .paper(until: 8, floor: 0.25),
    ]

    @Test("rates are those of PyTorch's schedulers", arguments: schedules.keys.sorted())
    func asPyTorch(name: String) throws {
        let golden = try Golden.load()
        let expected = try #require(golden.schedules[name])
        let schedule = try #require(Self.schedules[name])
        #expect(expected.count == golden.steps_per_epoch * golden.epochs)
        for (step, rate) in expected.enumerated() {
            let found = schedule.rate(
                golden.peak, step: step, stepsPerEpoch: golden.steps_per_epoch,
                epochs: golden.epochs)
            #expect(abs(found - rate) < 1e-12, "step \(step)")
        }
    }

    @Test("one step in all has a finite rate", arguments: schedules.keys.sorted())
    func oneStep(name: String) throws {
        let schedule = try #require(Self.schedules[name])
        let rate = schedule.rate(0.1, step: 0, stepsPerEpoch: 1, epochs: 1)
        #expect(rate.isFinite && rate > 0)
    }
}
