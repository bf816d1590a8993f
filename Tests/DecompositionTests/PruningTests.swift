import Decomposition
import PowerOfTwo
import Testing

@Suite("Structural pruning")
struct PruningTests {
    /// What the positions hold of a tensor: Σ|W| over the filters of each group and the unit.
    private func sums(_ weights: [Float], _ shape: [Int], unit: Int) -> [[Double]] {
        let length = shape.dropFirst().reduce(1, *)
        return stride(from: 0, to: shape[0], by: 32).map { first in
            var sums = [Double](repeating: 0, count: length / unit)
            for filter in first..<min(first + 32, shape[0]) {
                for i in 0..<length {
                    sums[i / unit] += Double(abs(weights[filter * length + i]))
                }
            }
            return sums
        }
    }

    /// The positions that each group of a compressed weight keeps, read from its mask's bytes.
    private func kept(_ weight: SmartDealWeight) -> [[Int]]? {
        guard let mask = weight.groupMask else { return nil }
        let count = weight.geometry.positionCount
        let stride = (count + 7) / 8
        return (0..<(mask.count / stride)).map { group in
            (0..<count).filter { mask[group * stride + $0 / 8] >> UInt8($0 % 8) & 1 == 1 }
        }
    }

    /// Checks that exactly what the masks drop is zero after rebuilding.
    private func expectDropped(
        _ rebuilt: [Float], _ weight: SmartDealWeight, _ kept: [[Int]],
        _ location: SourceLocation = #_sourceLocation
    ) {
        let geometry = weight.geometry
        for filter in 0..<geometry.filterCount {
            let own = Set(kept[filter / 32])
            for i in 0..<geometry.filterLength where !own.contains(i / geometry.unit) {
                if rebuilt[filter * geometry.filterLength + i] != 0 {
                    Issue.record(
                        "filter \(filter) weight \(i) is not zero", sourceLocation: location)
                }
            }
        }
    }

    // Two filters of two channels of 3x3: six positions of three weights with the sums
    // 3, 30, 6, 12, 1.5, 9 together.
    private static let small: [Float] = {
        let sizes: [Float] = [0.5, 5, 1, 2, 0.25, 1.5]
        return (0..<36).map { $0 % 2 == 0 ? sizes[$0 % 18 / 3] : -sizes[$0 % 18 / 3] }
    }()

    @Test(
        "the mask is what counting by hand gives", arguments: Mode.allCases,
        [
            // The ⌈fraction · 6⌉ smallest.
            (PruneKind.population, 0.0, nil), (.population, 0.01, [0, 1, 2, 3, 5]),
            (.population, 1.0 / 6, [0, 1, 2, 3, 5]), (.population, 0.5, [1, 3, 5]),
            (.population, 0.51, [1, 3]), (.population, 0.99, []),
            // Those below the value.
            (.value, 0, nil), (.value, 1.5, nil), (.value, 1.6, [0, 1, 2, 3, 5]),
            (.value, 9, [1, 3, 5]), (.value, 9.1, [1, 3]), (.value, 100, []),
            // The largest that together hold the share of 61.5: 30 + 12 + 9 + 6 + 3 + 1.5.
            (.energy, 1, nil), (.energy, 0.976, nil), (.energy, 0.975, [0, 1, 2, 3, 5]),
            (.energy, 0.8, [1, 3, 5]), (.energy, 0.68, [1, 3]), (.energy, 0.1, [1]),
        ] as [(PruneKind, Double, [Int]?)])
    func byHand(mode: Mode, test: (kind: PruneKind, amount: Double, kept: [Int]?)) throws {
        let (result, rebuilt) = try compress(
            Self.small, [2, 2, 3, 3],
            options(mode) {
                $0.prune = test.amount
                $0.pruneKind = test.kind
            })
        #expect(kept(result.weight) == test.kept.map { [$0] })
        #expect(result.statistics.keptPositions == test.kept?.count ?? 6)
        if let kept = test.kept { expectDropped(rebuilt, result.weight, [kept]) }
    }

    @Test(
        "every 32 filters have a mask of their own", arguments: Mode.allCases,
        [
            ([33, 3, 3, 3], 3), ([40, 5, 3, 3], 3), ([32, 4, 5, 5], 5), ([64, 10, 1, 1], 1),
            ([65, 30], 1), ([40, 7, 9], 9), ([40, 1, 3, 3], 3),
        ] as [([Int], Int)])
    func groups(mode: Mode, test: (shape: [Int], unit: Int)) throws {
        let weights = TestWeights.gaussian(test.shape, seed: 1)
        let (result, rebuilt) = try compress(
            weights, test.shape, options(mode) { $0.prune = 0.4 })
        let expected = sums(weights, test.shape, unit: test.unit).map { sums in
            let rising = sums.indices.sorted { sums[$0] < sums[$1] }
            let dropped = Int((0.4 * Double(sums.count)).rounded(.up))
            return rising.dropFirst(dropped).sorted()
        }
        #expect(result.weight.geometry.unit == test.unit)
        #expect(kept(result.weight) == expected)
        expectDropped(rebuilt, result.weight, expected)
        // What is kept is fitted as well as without pruning.
        let length = test.shape.dropFirst().reduce(1, *)
        let target = weights.indices.map { index in
            expected[index / length / 32].contains(index % length / test.unit) ? weights[index] : 0
        }
        #expect(TestWeights.relativeError(rebuilt, target) < 0.25)
    }

    @Test("a group that drops nothing beside one that does keeps all positions")
    func mixedGroups() throws {
        let shape = [40, 2, 3, 3]
        var weights = [Float](repeating: 0.1, count: 720)
        for i in 0..<(8 * 18) where i % 18 < 3 { weights[32 * 18 + i] = 0.001 }
        for mode in Mode.allCases {
            let (result, rebuilt) = try compress(
                weights, shape,
                options(mode) {
                    $0.prune = 0.1
                    $0.pruneKind = .value
                })
            #expect(kept(result.weight) == [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5]])
            expectDropped(rebuilt, result.weight, [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5]])
        }
    }

    @Test("rows are dropped only in 3x3 convolutions", arguments: [Mode.reference, .best])
    func rowSparsity(mode: Mode) throws {
        for (shape, isSparse) in [
            ([8, 30, 3, 3], true), ([40, 1, 3, 3], true), ([8, 30, 5, 5], false),
            ([8, 90, 1, 1], false), ([8, 300], false), ([8, 30, 3], false), ([300, 3], false),
            ([8, 30, 1, 3], false), ([8, 30, 3, 1], false),
        ] {
            // Every third kernel row is far below 5 theta, but not its weights below theta.
            var weights = TestWeights.gaussian(shape, seed: 2, size: 0.2)
            for i in weights.indices where i / shape[shape.count - 1] % 3 == 0 {
                weights[i] = weights[i] < 0 ? -0.0062 : 0.0061
            }
            let plain = try compress(weights, shape, options(mode)).result
            let (sparse, rebuilt) = try compress(
                weights, shape, options(mode) { $0.rowSparsity = true })
            #expect((sparse.weight != plain.weight) == isSparse, "\(shape)")
            guard isSparse, shape[1] > 1 else { continue }
            #expect(sparse.weight.rowMask != nil)
            #expect(sparse.statistics.nonzeroRows < plain.statistics.nonzeroRows)
            let zeros = stride(from: 0, to: rebuilt.count, by: 9).count { row in
                rebuilt[row..<(row + 3)].allSatisfy { $0 == 0 }
            }
            // Reference mode judges a row by its coefficients, which are not quite its weights.
            let share = mode == .reference ? 0.9 : 1
            #expect(Double(zeros) >= share * Double(rebuilt.count / 9), "\(shape)")
        }
    }
}
