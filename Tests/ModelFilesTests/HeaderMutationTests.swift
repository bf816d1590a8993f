import ModelFiles
import Testing

/// Headers broken at random: reading must throw or succeed, never trap; run it with the address
/// sanitizer too, which sees reads past the end.
@Suite("Mutated safetensors headers")
struct HeaderMutationTests {
    private typealias File = (json: [UInt8], data: [UInt8])

    private static let good: [File] = [
        (
            Array("{\(entry("a", "F32", "[2,3]", 0, 24)),\(entry("b", "U8", "[8]", 24, 32))}".utf8),
            [UInt8](0..<32)
        ),
        (
            Array(#"{"__metadata__":{"format":"pt","q\"\u00e9\ud83d\ude00":"\\ 漢字 é"},"#.utf8)
                + Array(
                    "\(entry("s", "I64", "[]", 0, 8)),\(entry("e", "BF16", "[0,7]", 8, 8))} ".utf8),
            [UInt8](0..<8)
        ),
        (
            Array(
                #" { "w" : {"x":[1,{"y":[-1.5e3,null,true]}], "dtype" : "F4", "shape" : [3, 2],"#
                    .utf8)
                + Array(#" "data_offsets" : [0, 3]}, "f6":{"dtype":"F6_E2M3","shape":[4],"#.utf8)
                + Array(#""data_offsets":[3,6]}}"#.utf8),
            [UInt8](0..<6)
        ),
        (Array("{}      ".utf8), []),
    ]

    private static let pieces: [[UInt8]] =
        [
            "{", "}", "[", "]", "\"", ",", ":", "\\", "\\u", "\\ud800", "\u{0}", " ", "-", ".", "e",
            "0",
            "null", "true", "{}", "[]", "\"\"", "\"__metadata__\":", "\"dtype\":\"F64\",", "é",
            "F6_E3M2",
            "9223372036854775807", "9223372036854775808", "18446744073709551615", "4294967296",
            "1e999",
            "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF0, 0x9F]]

    @Test(
        "200,000 mutated files are read or refused, never trapped on",
        arguments: [1, 2] as [UInt64])
    func mutations(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var codes: [String: Int] = [:]
        var accepted = 0
        let time = ContinuousClock().measure {
            for _ in 0..<100_000 {
                let bytes = Self.mutated(&random)
                let size =
                    Int.random(in: 0..<16, using: &random) == 0
                    ? Int.random(in: 0..<200, using: &random) : bytes.count
                do {
                    check(try parse(bytes, fileSize: size), fileSize: size)
                    accepted += 1
                } catch let error as ModelFileError {
                    codes[error.code.rawValue, default: 0] += 1
                } catch {
                    Issue.record(error)
                }
            }
        }
        print("seed \(seed): \(accepted) of 100,000 accepted, \(time)", codes)
        #expect(accepted > 1000, "the mutations are too coarse to get past the first checks")
        #expect(codes.count >= 11, "the mutations do not reach all checks: \(codes)")
    }

    /// What must hold of any header that was accepted.
    private func check(_ header: SafetensorsHeader, fileSize: Int) {
        var position = 0
        for tensor in header.tensors {
            #expect(tensor.range.lowerBound == position)
            #expect(tensor.elementCount * tensor.elementType.bitCount == tensor.byteCount * 8)
            position = tensor.range.upperBound
        }
        #expect(header.dataOffset + position == fileSize)
        do {
            let bytes = try header.encoded()
            let back = try parse(bytes, fileSize: bytes.count + position)
            #expect(back.tensors == header.tensors)
            #expect(back.metadata == header.metadata)
        } catch {
            Issue.record("\(error)")
        }
    }

    private static func mutated(_ random: inout SplitMix64) -> [UInt8] {
        var (json, data) = good[Int.random(in: 0..<good.count, using: &random)]
        for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&json, &random) }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: data.removeLast(min(data.count, Int.random(in: 0..<4, using: &random)))
        case 1: data += [UInt8](repeating: 0, count: Int.random(in: 0..<4, using: &random))
        default: break
        }
        var length: UInt64?
        switch Int.random(in: 0..<16, using: &random) {
        case 0: length = random.next() >> UInt64.random(in: 0..<64, using: &random)
        case 1: length = UInt64(max(0, json.count + Int.random(in: -9...9, using: &random)))
        default: break
        }
        var bytes = file(json: json, data: data, length: length)
        if Int.random(in: 0..<16, using: &random) == 0 {
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        }
        return bytes
    }

    private static func mutate(_ json: inout [UInt8], _ random: inout SplitMix64) {
        let at = Int.random(in: 0...json.count, using: &random)
        let end = min(json.count, at + Int.random(in: 1...12, using: &random))
        switch Int.random(in: 0..<12, using: &random) {
        case 0 where at < end: json[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where at < end: json[at] = UInt8.random(in: 0...255, using: &random)
        case 2: json.removeSubrange(at..<end)
        case 3: json.insert(contentsOf: json[at..<end], at: at)
        case 4: json.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: at)
        case 5: json.replaceSubrange(at..<end, with: pieces.randomElement(using: &random) ?? [])
        case 6, 7:  // A digit becomes another, at times many.
            let digits = json.indices.filter { 0x30...0x39 ~= json[$0] }
            guard let digit = digits.randomElement(using: &random) else { return }
            let count = Bool.random(using: &random) ? 1 : Int.random(in: 1...25, using: &random)
            let others = (0..<count).map { _ in UInt8.random(in: 0x30...0x39, using: &random) }
            json.replaceSubrange(digit...digit, with: others)
        case 8:  // Two brackets, quotes or commas change places.
            let marks = json.indices.filter { Array("{}[]\":,".utf8).contains(json[$0]) }
            guard let one = marks.randomElement(using: &random),
                let other = marks.randomElement(using: &random)
            else { return }
            json.swapAt(one, other)
        case 9:  // Deep nesting.
            let opening =
                [["["], ["{\"a\":"], ["[{\"a\":"]].randomElement(using: &random)?.first ?? ""
            let depth = Int.random(in: 1...300, using: &random)
            json.insert(contentsOf: String(repeating: opening, count: depth).utf8, at: at)
        case 10:  // Whitespace, which changes nothing between tokens.
            json.insert([0x20, 0x0A, 0x09, 0x0D].randomElement(using: &random) ?? 0x20, at: at)
        default:  // The end of one header after the start of another.
            let other = good.randomElement(using: &random)?.json ?? []
            json = [UInt8](json[..<at] + other[Int.random(in: 0...other.count, using: &random)...])
        }
    }
}
