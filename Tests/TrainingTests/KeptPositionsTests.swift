import DenseMath
import Testing

@testable import Training

@Suite("Dense weights with a structure") struct KeptPositionsTests {
    @Test("positions that are not kept stay zero through updates, the others move as without masks")
    func masked() throws {
        let kept = KeptPositions(unit: 3, groups: [[1, 2], [0]])
        let shape = [40, 1, 4, 3]
        let isKept = (0..<480).map { index in
            kept.groups[index / 12 / 32].contains(index % 12 / 3)
        }
        let start = isKept.map { $0 ? Float(1) : 0 }
        let rule = Optimizer.sgd(SGD(momentum: 0.9, weightDecay: 0.1))
        let masked = try DenseVariable(
            name: "w", Tensor(shape: shape, start), rule: rule, keptPositions: kept)
        let free = try DenseVariable(name: "w", Tensor(shape: shape, start), rule: rule)
        for step in 0..<3 {
            for variable in [masked, free] {
                var gradient = (0..<480).map { Float(($0 * 37 + step) % 11) - 5 }
                gradient.withUnsafeMutableBufferPointer {
                    guard let start = $0.baseAddress else { return }
                    variable.update(start, UpdateStep(learningRate: 0.1, index: step), threads: 1)
                }
            }
        }
        let (a, b) = (masked.parameter().tensor.floats, free.parameter().tensor.floats)
        for index in isKept.indices { #expect(a[index] == (isKept[index] ? b[index] : 0)) }
        #expect(a != b)
    }
}
