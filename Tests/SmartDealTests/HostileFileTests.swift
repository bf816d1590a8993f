import Foundation
import SmartDeal
import Testing

/// A safetensors file taken apart, to be changed in ways that no writer would.
struct LooseFile {
    struct Tensor {
        var name: String
        var dtype: String
        var shape: [Int]
        var data: [UInt8]
    }

    var tensors: [Tensor]
    var metadata: [String: String]

    init(of path: String) throws {
        let checkpoint = try Checkpoint(path: path)
        metadata = checkpoint.metadata
        tensors = checkpoint.tensors.map { tensor in
            Tensor(
                name: tensor.name, dtype: tensor.elementType.rawValue, shape: tensor.shape,
                data: checkpoint.withBytes(of: tensor) { Array($0) })
        }
    }

    /// The file's bytes; offsets follow from the data. No name needs escaping.
    var bytes: [UInt8] {
        var json = Array("{\"__metadata__\":{".utf8)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            json += Array("\"\(key)\":\"\(value)\",".utf8)
        }
        if !metadata.isEmpty { json.removeLast() }
        json.append(UInt8(ascii: "}"))
        var data: [UInt8] = []
        for tensor in tensors {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let offsets = "\(data.count),\(data.count + tensor.data.count)"
            json += Array(",\"\(tensor.name)\":{\"dtype\":\"\(tensor.dtype)\",".utf8)
            json += Array("\"shape\":[\(shape)],\"data_offsets\":[\(offsets)]}".utf8)
            data += tensor.data
        }
        json.append(UInt8(ascii: "}"))
        return (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) } + json + data
    }

    /// Changes a word of a weight's description.
    mutating func set(_ key: String, of name: String, to value: String?) throws {
        let line = try #require(metadata["smartdeal.weight." + name])
        let words = line.split(separator: " ").compactMap { word in
            guard word.hasPrefix(key + "=") else { return String(word) }
            return value.map { key + "=" + $0 }
        }
        metadata["smartdeal.weight." + name] = words.joined(separator: " ")
    }

    /// Changes a part.
    mutating func change(_ part: String, _ body: (inout Tensor) -> Void) throws {
        let index = try #require(tensors.firstIndex { $0.name == part })
        body(&tensors[index])
    }
}

@Suite("Hostile compressed files")
struct HostileFileTests {
    private let folder: TestFolder
    private let good: LooseFile

    init() throws {
        folder = try TestFolder()
        var random = TestRandom(seed: 41)
        var model = TestModel()
        model.addWeights("conv", [36, 2, 3, 3], &random)
        model.addWeights("rows", .f16, [8, 6, 3, 3], &random)
        model.addWeights("table", .bf16, [10, 24], &random)
        model.addWeights("bias", [5], &random)
        try model.write(to: folder("in"))
        var recipe = Recipe()
        recipe.rules = [
            .init(Glob("conv"), [.init("prune", .number(0.4))]),
            .init(
                Glob("rows"),
                [
                    .init("mode", .text("reference")), .init("row-sparsity", .flag(true)),
                    .init("prune", .number(0.2)), .init("threshold", .number(0.03)),
                ]),
            .init(Glob("table"), [.init("basis-bits", .number(32))]),
        ]
        _ = try CheckpointCompressor(recipe, threads: 1).compress(folder("in"), to: folder("out"))
        good = try LooseFile(of: folder("out"))
        // All kinds of parts are there.
        let names = Set(good.tensors.map(\.name))
        #expect(names.isSuperset(of: ["conv.group_mask", "rows.mask", "rows.group_mask"]))
    }

    /// Opens a file, reads all that is in it and rebuilds every weight.
    private func open(_ file: LooseFile) throws {
        try folder.write(file.bytes, to: "bad")
        let model = try ModelCheckpoint(path: folder("bad"))
        for case .packed(let tensor) in model.contents {
            _ = try tensor.weight(in: model.checkpoint).rebuilt()
        }
    }

    private func expectRefusal(
        _ words: String..., code: String = "invalid-packed-weight",
        sourceLocation: SourceLocation = #_sourceLocation,
        of change: (inout LooseFile) throws -> Void
    ) throws {
        var file = good
        try change(&file)
        do {
            try open(file)
            Issue.record("no error", sourceLocation: sourceLocation)
        } catch {
            let facts = try #require(ErrorFacts(error), "\(error)", sourceLocation: sourceLocation)
            #expect(facts.code == code, "\(facts.text)", sourceLocation: sourceLocation)
            for word in words + [folder("bad")] {
                #expect(facts.text.contains(word), "\(facts.text)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test("taken apart and put together the file is as good as before")
    func goodFile() throws {
        try open(good)
        let report = try CheckpointVerifier().compare(folder("out"), folder("bad"))
        #expect(report.worst == 0)
    }

    @Test("a missing part is named", arguments: ["symbols", "basis"])
    func missingPart(suffix: String) throws {
        try expectRefusal("'conv'", "no 'conv.\(suffix)'") { file in
            file.tensors.removeAll { $0.name == "conv." + suffix }
        }
    }

    @Test("a missing mask or missing scales do not fit the rest")
    func missingOptionalPart() throws {
        for part in ["conv.group_mask", "rows.mask", "rows.group_mask", "conv.basis_scale"] {
            try expectRefusal("'\(part.prefix(4))'") { file in
                file.tensors.removeAll { $0.name == part }
            }
        }
        try expectRefusal("an int8 basis needs scales") { file in
            file.tensors.removeAll { $0.name == "conv.basis_scale" }
        }
    }

    @Test(
        "a part of another type is named",
        arguments: [
            ("conv.symbols", "I8"), ("conv.basis", "U8"), ("table.basis", "I32"),
            ("conv.basis_scale", "BF16"), ("rows.mask", "BOOL"), ("conv.group_mask", "I8"),
        ])
    func wrongType(part: String, type: String) throws {
        try expectRefusal("'\(part)' is \(type)", "expected") { file in
            try file.change(part) { $0.dtype = type }
        }
    }

    @Test(
        "a part one element too short or too long is refused",
        arguments: [
            "conv.symbols", "conv.basis", "conv.basis_scale", "conv.group_mask", "rows.symbols",
            "rows.mask", "rows.group_mask", "rows.basis", "table.symbols", "table.basis",
        ])
    func wrongSize(part: String) throws {
        for step in [-1, 1] {
            try expectRefusal("expected") { file in
                try file.change(part) { tensor in
                    let width = ["F32": 4, "F16": 2][tensor.dtype] ?? 1
                    if step < 0 {
                        tensor.data.removeLast(width)
                    } else {
                        tensor.data += [UInt8](repeating: 0, count: width)
                    }
                    tensor.shape = [tensor.data.count / width]
                }
            }
        }
        try expectRefusal { file in
            try file.change(part) {
                $0.data = []
                $0.shape = [0]
            }
        }
    }

    @Test(
        "a description with a wrong number is refused",
        arguments: [
            ("width", "0"), ("width", "65"), ("width", "-1"), ("width", "two"), ("width", ""),
            ("nibbles", "0"), ("nibbles", "65"), ("nibbles", "9223372036854775808"),
            ("slice", "0"), ("slice", "-3"), ("slice", "9223372036854775807"),
            ("share", "3"), ("share", "0"), ("share", "64"), ("share", "-32"),
            ("unit", "0"), ("unit", "5"), ("unit", "-3"), ("unit", "9223372036854775807"),
            ("exponent", "201"), ("exponent", "-9223372036854775808"), ("exponent", "x"),
            ("layout", "other"), ("dtype", "F64"), ("dtype", "f32"), ("alphabet", "unknown"),
            ("shape", ""), ("shape", "0,2,3,3"), ("shape", "36,-2,3,3"), ("shape", "36"),
            ("shape", "x,y"), ("shape", "36,2,3,4"), ("shape", "37,2,3,3"),
            ("shape", "2147483648,2,3,3"), ("shape", "36,2147483647,2147483647,2147483647"),
            ("shape", "36,9223372036854775807,9223372036854775807"),
            ("shape", "2147483647,2147483647"), ("shape", "281474976710656"),
            ("shape", "16777216,2,3,3"), ("shape", "36,2,3,536870912"),
        ])
    func wrongNumbers(key: String, value: String) throws {
        for name in ["conv", "rows", "table"] {
            if key == "unit", value == "5" || name == "table" { continue }
            if key == "exponent", name == "table", value == "201" { continue }
            try expectRefusal("'\(name)'") { file in try file.set(key, of: name, to: value) }
        }
    }

    @Test(
        "a description without one of its words is refused",
        arguments: [
            "dtype", "shape", "unit", "width", "nibbles", "slice", "share", "layout", "alphabet",
            "exponent",
        ])
    func missingWord(key: String) throws {
        try expectRefusal("has no '\(key)'") { try $0.set(key, of: "conv", to: nil) }
    }

    @Test("words that are no key and value are refused")
    func noPairs() throws {
        for line in ["nonsense", "dtype=F32 nonsense"] {
            try expectRefusal("'nonsense' is not key=value") {
                $0.metadata["smartdeal.weight.conv"] = line
            }
        }
        try expectRefusal { $0.metadata["smartdeal.weight.conv"] = "" }
    }

    @Test("a description of a weight that the file does not have is refused")
    func strayDescription() throws {
        try expectRefusal("'stray'", "no 'stray.symbols'") {
            $0.metadata["smartdeal.weight.stray"] = $0.metadata["smartdeal.weight.conv"]
        }
    }

    @Test("a version that is not known is refused by its name", arguments: ["2", "0", "", "1.0"])
    func unknownVersion(version: String) throws {
        try expectRefusal("format \(version);", "format 1", code: "unknown-format-version") {
            $0.metadata["smartdeal.version"] = version
        }
    }

    @Test(
        "an alphabet that no nibble can hold, or without powers of two, is refused",
        arguments: [
            (Array(repeating: "1,0", count: 17).joined(separator: " "), "1 to 16 symbols, not 17"),
            ("", "1 to 16 symbols, not 0"),
            ("3,1 1,1", "3.0 is neither 0 nor a power of two"),
            ("1,0.3", "0.3 is neither"), ("nan,1", "nan is neither"), ("inf,1", "inf is neither"),
            ("1e-300,1", "neither"), ("36893488147419103232,1", "neither"),
            ("5e-324,1", "neither"), ("1 1,1", "same number of coefficients"),
            ("1,1,1", "same number of coefficients"), ("1,x", "'x'"), ("one", "'one'"),
            (",", "same number of coefficients"),
        ])
    func badAlphabet(text: String, words: String) throws {
        try expectRefusal(words) { $0.metadata["smartdeal.alphabet.4x4"] = text }
    }

    @Test("an alphabet of another width does not fit the basis")
    func otherAlphabet() throws {
        try expectRefusal("basis elements: expected") {
            $0.metadata["smartdeal.alphabet.4x4"] = "0 1 -1"
        }
        try expectRefusal("does not spell out alphabet '4x4'") {
            $0.metadata["smartdeal.alphabet.4x4"] = nil
        }
    }

    @Test(
        "scales that are not finite are refused",
        arguments: [0x7E00, 0x7C00, 0xFC00, 0x7C01, 0xFFFF] as [UInt16])
    func badScale(half: UInt16) throws {
        try expectRefusal("'conv'", "a scale is NaN or infinite") { file in
            try file.change("conv.basis_scale") {
                $0.data[2] = UInt8(half & 0xFF)
                $0.data[3] = UInt8(half >> 8)
            }
        }
    }

    @Test("a float basis that is not finite is refused")
    func badBasis() throws {
        for value in [Float.nan, .infinity, -.infinity] {
            try expectRefusal("'table'", "a NaN or an infinity") { file in
                try file.change("table.basis") {
                    $0.data.replaceSubrange(
                        4..<8, with: WeightConversion.bytes(from: [value], as: .f32))
                }
            }
        }
    }

    @Test("a tensor that is there dense and compressed is refused")
    func overlappingNames() throws {
        try expectRefusal("'conv'", "both dense and compressed") { file in
            file.tensors.append(
                .init(name: "conv", dtype: "F32", shape: [1], data: [0, 0, 0, 0]))
        }
    }

    @Test("masks that drop all rows, or other ones than are stored, are refused or read")
    func otherMasks() throws {
        for byte in [0, 0xFF] as [UInt8] {
            for part in ["conv.group_mask", "rows.mask", "rows.group_mask"] {
                try expectRefusal("expected") { file in
                    try file.change(part) {
                        $0.data = [UInt8](repeating: byte, count: $0.data.count)
                    }
                }
            }
        }
        var file = good
        try file.change("conv.group_mask") { $0.data = $0.data.map { _ in 0 } }
        try file.change("conv.symbols") {
            $0.data = []
            $0.shape = [0]
        }
        try open(file)
        let model = try ModelCheckpoint(path: folder("bad"))
        guard case .packed(let tensor) = model.contents[0] else { return }
        #expect(try tensor.weight(in: model.checkpoint).rebuilt().allSatisfy { $0 == 0 })
    }

    @Test("reading goes through the tasks: verify, inspect and restore refuse alike")
    func tasks() throws {
        var file = good
        try file.change("conv.symbols") {
            $0.data.removeLast()
            $0.shape[0] -= 1
        }
        try folder.write(file.bytes, to: "bad")
        let before = try folder.names()
        expectError("invalid-packed-weight", saying: "'conv'") {
            try CheckpointRestorer().restore(folder("bad"), to: folder("dense"))
        }
        expectError("invalid-packed-weight", saying: "'conv'") {
            try CheckpointInspector().inspect(folder("bad"))
        }
        expectError("invalid-packed-weight", saying: "'conv'") {
            try CheckpointVerifier().compare(folder("in"), folder("bad"))
        }
        #expect(try folder.names() == before)
    }

    // MARK: - Mutations

    private static let numbers = [
        "0", "1", "2", "3", "4", "7", "8", "9", "16", "24", "31", "32", "33", "36", "63", "64",
        "65",
        "-1", "255", "256", "1000", "65536", "2147483647", "2147483648", "4294967296",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e3", "0x10", "",
        "é",
    ]
    private static let keys = [
        "dtype", "shape", "unit", "width", "nibbles", "slice", "share", "layout", "alphabet",
        "exponent",
    ]

    @Test(
        "20,000 mutated files are read or refused, never trapped on",
        arguments: [1, 2, 3, 4] as [UInt64])
    func mutations(seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        var codes: [String: Int] = [:]
        var rebuilt = 0
        let path = folder("bad")
        for _ in 0..<5000 {
            let bytes = try mutated(&random)
            // Not atomic: nobody reads it but this loop.
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do {
                rebuilt += try readAll(path)
            } catch {
                guard let facts = ErrorFacts(error) else {
                    Issue.record(error, "seed \(seed)")
                    continue
                }
                codes[facts.code, default: 0] += 1
            }
        }
        print("seed \(seed): \(rebuilt) weights rebuilt,", codes)
        #expect(rebuilt > 2500, "the mutations are too coarse to get past the checks")
        #expect(codes["invalid-packed-weight", default: 0] > 1000)
        #expect(codes.count >= 4, "\(codes)")
    }

    /// Reads what a file has, weights of at most 2^18 numbers in full.
    ///
    /// - Returns: how many weights were rebuilt.
    private func readAll(_ path: String) throws -> Int {
        let model = try ModelCheckpoint(path: path)
        var rebuilt = 0
        for case .packed(let tensor) in model.contents {
            let geometry = tensor.geometry
            // Filters whose masks drop everything can be large in a small file; that is no error.
            guard geometry.filterLength <= 1 << 18 else { continue }
            let weight = try tensor.weight(in: model.checkpoint)
            _ = weight.statistics()
            guard geometry.weightCount <= 1 << 18 else { continue }
            #expect(weight.rebuilt().count == geometry.weightCount)
            rebuilt += 1
        }
        return rebuilt
    }

    private func mutated(_ random: inout TestRandom) throws -> [UInt8] {
        func pick(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &random) }
        var file = good
        for _ in 0...pick(2) {
            let names = ["conv", "rows", "table"]
            let name = names[pick(3)]
            let index = pick(file.tensors.count)
            switch pick(14) {
            case 0, 1:
                try file.set(
                    Self.keys[pick(Self.keys.count)], of: name,
                    to: Self.numbers[pick(Self.numbers.count)])
            case 2:
                // A number of a shape.
                let key = "smartdeal.weight." + name
                let line = file.metadata[key] ?? ""
                let words = line.split(separator: " ").map(String.init)
                guard let shape = words.first(where: { $0.hasPrefix("shape=") }) else { break }
                var numbers = shape.dropFirst(6).split(separator: ",").map(String.init)
                guard !numbers.isEmpty else { break }
                numbers[pick(numbers.count)] = Self.numbers[pick(Self.numbers.count)]
                if pick(8) == 0 { numbers.append("1") }
                try file.set("shape", of: name, to: numbers.joined(separator: ","))
            case 3:
                // The same word of another weight.
                let key = Self.keys[pick(Self.keys.count)]
                let other = file.metadata["smartdeal.weight." + names[pick(3)]] ?? ""
                let word = other.split(separator: " ").first { $0.hasPrefix(key + "=") }
                try file.set(key, of: name, to: word.map { String($0.dropFirst(key.count + 1)) })
            case 4:
                file.metadata["smartdeal.weight." + name] =
                    file.metadata["smartdeal.weight." + names[pick(3)]]
            case 5:
                let key = file.metadata.keys.sorted()[pick(file.metadata.count)]
                let text = Array(file.metadata[key] ?? "")
                guard !text.isEmpty else { break }
                var changed = text
                let letters = Array("0123456789-,. =e")
                changed[pick(text.count)] = letters[pick(letters.count)]
                if !key.hasSuffix("version") || pick(8) == 0 {
                    file.metadata[key] = String(changed)
                }
            case 6, 7, 8:
                // Bytes of a part, of masks above all.
                let masks = file.tensors.indices.filter { file.tensors[$0].name.hasSuffix("mask") }
                let target = pick(2) == 0 && !masks.isEmpty ? masks[pick(masks.count)] : index
                guard target < file.tensors.count, !file.tensors[target].data.isEmpty else { break }
                for _ in 0...pick(4) {
                    let at = pick(file.tensors[target].data.count)
                    file.tensors[target].data[at] ^= UInt8(1 << pick(8))
                }
            case 9:
                guard index < file.tensors.count else { break }
                file.tensors[index].dtype = ["U8", "I8", "F16", "F32", "BF16", "BOOL"][pick(6)]
            case 10:
                guard index < file.tensors.count else { break }
                let count = max(0, file.tensors[index].data.count + pick(9) - 4)
                let old = file.tensors[index].data
                file.tensors[index].data = (0..<count).map { $0 < old.count ? old[$0] : 0xA5 }
                file.tensors[index].shape = [count]
                file.tensors[index].dtype = "U8"
            case 11:
                guard file.tensors.count > 1 else { break }
                file.tensors.remove(at: index)
            case 12:
                guard index < file.tensors.count else { break }
                let other = pick(file.tensors.count)
                let swap = file.tensors[index].name
                file.tensors[index].name = file.tensors[other].name
                file.tensors[other].name = swap
            default:
                // The raw header.
                var bytes = file.bytes
                for _ in 0...pick(3) {
                    bytes[8 + pick(min(1200, bytes.count - 8))] = UInt8(32 + pick(95))
                }
                if pick(4) == 0 { bytes.removeLast(pick(bytes.count / 4)) }
                return bytes
            }
        }
        return file.bytes
    }

    @Test("a file cut off anywhere in its data is refused")
    func truncation() throws {
        let bytes = good.bytes
        for count in stride(from: 0, to: bytes.count, by: 7) {
            try folder.write(Array(bytes.prefix(count)), to: "bad")
            #expect(throws: ModelFileError.self) { try ModelCheckpoint(path: folder("bad")) }
        }
    }
}
