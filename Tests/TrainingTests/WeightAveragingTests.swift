import Testing

@testable import Training

@Suite("Averages of weights") struct WeightAveragingTests {
    @Test("the running mean is the mean")
    func mean() {
        var average = WeightAveraging()
        for value in [1, 4, 10, 1] as [Float] { average.add(["w": [value, -value], "b": [2]]) }
        #expect(average.count == 4)
        #expect(average.means == ["w": [4, -4], "b": [2]])
    }
}
