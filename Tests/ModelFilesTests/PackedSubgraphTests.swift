import DenseMath
import Foundation
import Networks
import ONNXSchema
import PowerOfTwo
import Testing

@testable import ModelFiles

@Suite("Packed weights in ONNX")
struct PackedSubgraphTests {
    /// Weights of few elements; together they have all masks, layouts and bases.
    private static let smallSeeds = [8, 9, 10, 22, 23, 24, 36, 38, 52]

    private func model(_ seeds: some Collection<Int>) throws -> (
        Onnx_ModelProto, [PackedSubgraphs.Weight]
    ) {
        let types = [ElementType.f32, .f16, .bf16]
        let weights = try seeds.map { seed in
            let random = try RandomWeight(seed: seed)
            return PackedSubgraphs.Weight(
                name: "layer\(seed).weight",
                parameter: CompressedParameter(random.weight, isTransposed: random.isTransposed),
                elementType: types[seed % 3])
        }
        var model = Onnx_ModelProto()
        model.irVersion = 8
        var opset = Onnx_OperatorSetIdProto()
        opset.version = Int64(PackedSubgraphs.smallestOperatorSet)
        model.opsetImport = [opset]
        model.graph.name = "packed"
        try PackedSubgraphs.add(weights, to: &model, path: "memory")
        return (model, weights)
    }

    @Test("random weights of every form come back from the bytes of a file")
    func roundTrip() throws {
        for seed in stride(from: 0, to: 168, by: 6) {
            let (model, weights) = try model(seed..<(seed + 6))
            let bytes: [UInt8] = try model.serializedBytes()
            let read = try Onnx_ModelProto(serializedBytes: bytes)
            let packed = try PackedSubgraphs(reading: read, path: "memory")
            #expect(packed.entries.count == weights.count)
            for weight in weights {
                let entry = try #require(packed.entries[weight.name])
                #expect(entry.parameter == weight.parameter, "seed of \(weight.name)")
                #expect(entry.elementType == weight.elementType)
            }
            #expect(packed.hiddenNodes == Set(model.graph.node.indices))
            #expect(packed.hiddenInitializers == Set(model.graph.initializer.indices))
        }
    }

    @Test("bytes are those of the weight, but for what fills the last byte, run and row masks")
    func size() throws {
        for seed in 0..<56 {
            let (model, weights) = try model(seed..<(seed + 1))
            let entry = try #require(
                try PackedSubgraphs(reading: model, path: "memory").entries[weights[0].name])
            let weight = weights[0].parameter.weight
            let geometry = weight.geometry
            // A run may be filled up with scales, groups have a bit for each row, and an unused row
            // or two may follow.
            let slack =
                2 * geometry.filtersPerBasis * geometry.sliceCount + geometry.nibbles + 1
                + (weight.groupMask == nil ? 0 : geometry.groupCount * (geometry.rowCount / 8 + 1))
            #expect(entry.byteCount <= weight.byteCount + slack, "seed \(seed)")
        }
    }

    @Test("a weight needs few bytes for its operators and description")
    func overhead() throws {
        let random = try (0..<14).map { try RandomWeight(seed: 14 * $0 + 11) }
        let plain = random.filter { $0.weight.rowMask == nil && $0.weight.groupMask == nil }
        let parameter = CompressedParameter(try #require(plain.first).weight)
        func size(_ count: Int) throws -> Int {
            var model = Onnx_ModelProto()
            try PackedSubgraphs.add(
                (0..<count).map {
                    PackedSubgraphs.Weight(
                        name: "layer\($0).conv.weight", parameter: parameter, elementType: .f32)
                }, to: &model, path: "memory")
            let bytes: [UInt8] = try model.serializedBytes()
            return bytes.count
        }
        let beside = try size(3) - size(2) - parameter.weight.byteCount
        #expect(beside < 1200, "\(beside) bytes")
    }

    @Test("only operators and attributes of operator set 11 are used, with names that are unused")
    func operators() throws {
        var names: Set<String> = []
        for seed in 0..<140 {
            names.formUnion(try model(seed..<(seed + 1)).0.graph.node.map(\.opType))
        }
        #expect(
            names == [
                "Cast", "Gather", "Reshape", "Pad", "Slice", "MatMul", "Mul", "CumSum", "Expand",
                "GatherElements", "Range", "Concat", "Transpose", "Div", "Mod",
            ])
        var model = Onnx_ModelProto()
        model.graph.initializer = [.raw("sd/0/symbols", .uint8, [1], [7])]
        let parameter = CompressedParameter(try RandomWeight(seed: 3).weight)
        try PackedSubgraphs.add(
            [.init(name: "w", parameter: parameter, elementType: .f32)], to: &model, path: "memory")
        #expect(model.graph.initializer.count { $0.name == "sd/0/symbols" } == 1)
        let packed = try PackedSubgraphs(reading: model, path: "memory")
        #expect(packed.entries["w"]?.parameter == parameter)
        #expect(!packed.hiddenInitializers.contains(0))
    }

    @Test("what is missing, of another size or another operator is told")
    func contradictions() throws {
        let (original, _) = try model(Self.smallSeeds)
        func expectInvalid(_ text: String, _ change: (inout Onnx_ModelProto) -> Void) {
            var model = original
            change(&model)
            do {
                _ = try PackedSubgraphs(reading: model, path: "memory")
                Issue.record("no error for \(text)")
            } catch let error as ModelFileError {
                #expect(error.code == .invalidPackedWeight, "\(error)")
            } catch {
                Issue.record(error)
            }
        }
        for index in original.graph.initializer.indices {
            expectInvalid("no \(original.graph.initializer[index].name)") {
                $0.graph.initializer.remove(at: index)
            }
            expectInvalid("a byte less in \(original.graph.initializer[index].name)") {
                $0.graph.initializer[index].rawData.removeLast()
            }
            expectInvalid("a dimension more in \(original.graph.initializer[index].name)") {
                $0.graph.initializer[index].dims.append(2)
            }
        }
        for index in original.graph.node.indices {
            expectInvalid("another operator") { $0.graph.node[index].opType = "Relu" }
            expectInvalid("another input") { $0.graph.node[index].input[0] += "x" }
        }
        for index in original.metadataProps.indices
        where original.metadataProps[index].key.hasPrefix("smartdeal.weight.") {
            for (from, to) in [
                ("width=", "width=6"), ("id=", "id=2"), ("shape=", "shape=9,"), ("dtype=", "x="),
                ("exponent=", "exponent=x"), ("share=", "share=-"), ("shape=", "shape=99999999,"),
            ] {
                expectInvalid("\(to) for \(from)") { model in
                    let line = model.metadataProps[index].value
                    model.metadataProps[index].value =
                        line.replacingOccurrences(of: from, with: to)
                }
            }
        }
    }

    @Test("changed bytes of a file give an error or a weight that can be rebuilt, never a trap")
    func mutations() throws {
        var random = SplitMix64(seed: 5)
        for seed in Self.smallSeeds {
            let (model, _) = try model([seed])
            let bytes: [UInt8] = try model.serializedBytes()
            for _ in 0..<200 {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    changed[Int.random(in: 0..<changed.count, using: &random)] =
                        UInt8.random(in: 0...255, using: &random)
                }
                guard let read = try? Onnx_ModelProto(serializedBytes: changed),
                    let packed = try? PackedSubgraphs(reading: read, path: "memory")
                else { continue }
                for entry in packed.entries.values { _ = entry.parameter.rebuilt() }
            }
        }
    }
}
