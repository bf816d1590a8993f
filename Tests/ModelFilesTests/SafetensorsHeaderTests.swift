import ModelFiles
import Testing

@Suite("Safetensors header")
struct SafetensorsHeaderTests {
    // MARK: The checks of the reference reader, in its order

    @Test("1: a file below 8 bytes has no header", arguments: 0..<8)
    func tooSmall(count: Int) {
        expectError(.headerTooSmall, saying: "the file has \(count) bytes", "'m.st'") {
            try parse([UInt8](repeating: 0, count: count))
        }
    }

    @Test("2: a header over 100 MB is refused", arguments: [100_000_001, 1 << 63, UInt64.max])
    func tooLarge(length: UInt64) {
        expectError(.headerTooLarge, saying: "\(length)", "100000000") {
            try parse(file(json: Array("{}".utf8), data: [], length: length))
        }
    }

    @Test("3: a header past the end of the file is refused", arguments: [3, 4, 100_000_000])
    func lengthPastEnd(length: UInt64) {
        expectError(
            .invalidHeaderLength, saying: "file is \(length - 2) bytes short", "8 + \(length)",
            "the file has 10"
        ) { try parse(file(json: Array("{}".utf8), data: [], length: length)) }
    }

    @Test(
        "4: a header that is not UTF-8 is refused",
        arguments: [
            [0xFF], [0xC3], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xE2, 0x82],
            [0xF5, 0x80, 0x80, 0x80],
        ] as [[UInt8]])
    func notUTF8(sequence: [UInt8]) {
        let json = Array(#"{"__metadata__":{"a":""#.utf8) + sequence + Array(#""}}"#.utf8)
        expectError(.invalidUTF8, saying: "byte 22 of the header") {
            try parse(file(json: json, data: []))
        }
    }

    @Test(
        "5: a header that is not one JSON object is refused",
        arguments: [
            "", " ", "[]", "null", "1", "\"a\"", "{", "}", "{}{}", "{} x", "{}\u{0}", "{,}",
            #"{"a"}"#, #"{"a":}"#, #"{"a":{"#, "\u{FEFF}{}", "{'a':1}", "{a:1}", #"{"a":1,}"#,
            "{}//", "nan", #"{"__metadata__":{"a":"b",}}"#, #"{"__metadata__" {}}"#,
        ])
    func notAnObject(json: String) {
        expectError(.invalidHeader, saying: "of the header") { try parse(file(json)) }
    }

    @Test(
        "5: a tensor's entry must be an object with dtype, shape and two offsets",
        arguments: [
            #"null"#, #"[]"#, #""F32""#, #"{}"#,
            #"{"dtype":"U8","shape":[1]}"#, #"{"dtype":"U8","data_offsets":[0,1]}"#,
            #"{"shape":[1],"data_offsets":[0,1]}"#,
            #"{"dtype":"U8","shape":[1],"data_offsets":[]}"#,
            #"{"dtype":"U8","shape":[1],"data_offsets":[0]}"#,
            #"{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}"#,
            #"{"dtype":"U8","shape":[1],"data_offsets":null}"#,
            #"{"dtype":"U8","shape":1,"data_offsets":[0,1]}"#,
            #"{"dtype":"U8","shape":null,"data_offsets":[0,1]}"#,
            #"{"dtype":1,"shape":[1],"data_offsets":[0,1]}"#,
            #"{"dtype":null,"shape":[1],"data_offsets":[0,1]}"#,
        ])
    func incompleteEntry(json: String) {
        let error = expectError(.invalidHeader) { try parse(file("{\"w\":\(json)}", data: [0])) }
        #expect(error?.tensor == "w")
        #expect(error?.path == "m.st")
    }

    @Test(
        "5: an unknown dtype is refused, and the known ones are listed",
        arguments: ["F31", "f32", "", "F32 ", "float32", "F8_E4M3FN"])
    func unknownElementType(name: String) {
        expectError(.unknownElementType, saying: "'\(name)'", "BF16, I32", "tensor 'w'") {
            try parse(file("{\(entry("w", name, "[1]", 0, 4))}", data: [0, 0, 0, 0]))
        }
    }

    @Test(
        "5: dimensions and offsets are whole numbers: no sign, fraction, exponent, leading zero",
        arguments: [
            "1.0", "-1", "+1", "1e0", "1E0", "01", "00", "-0", "\"1\"", "true", "null", "[1]",
            "0x1",
            "9223372036854775808", "18446744073709551616", "1" + String(repeating: "0", count: 400),
        ])
    func notAnInteger(number: String) {
        expectError(.invalidHeader, saying: "tensor 'w'", "of the header") {
            try parse(file("{\(entry("w", "U8", "[\(number)]", 0, 1))}", data: [0]))
        }
        let json = #"{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,\#(number)]}}"#
        expectError(.invalidHeader, saying: "tensor 'w'") { try parse(file(json, data: [0])) }
    }

    @Test(
        "5: metadata must map text to text",
        arguments: ["1", "null", "[]", "\"a\"", #"{"a":1}"#, #"{"a":null}"#, #"{"a":{}}"#])
    func metadataNotText(json: String) {
        expectError(.invalidHeader) { try parse(file("{\"__metadata__\":\(json)}")) }
    }

    @Test("6: the first tensor begins at 0")
    func firstOffset() {
        expectError(.invalidOffset, saying: "[1, 2]", "begins at 0", "tensor 'w'") {
            try parse(file("{\(entry("w", "U8", "[1]", 1, 2))}", data: [0, 0]))
        }
    }

    @Test("6: a hole between tensors is refused")
    func hole() {
        let json = "{\(entry("a", "U8", "[2]", 0, 2)),\(entry("b", "U8", "[1]", 3, 4))}"
        expectError(.invalidOffset, saying: "leave a hole after tensor 'a'", "tensor 'b'") {
            try parse(file(json, data: [0, 0, 0, 0]))
        }
    }

    @Test("6: tensors that overlap are refused, also when they are the same bytes")
    func overlap() {
        let json = "{\(entry("a", "U8", "[2]", 0, 2)),\(entry("b", "U8", "[2]", 1, 3))}"
        expectError(.invalidOffset, saying: "overlap 1 bytes of tensor 'a'", "tensor 'b'") {
            try parse(file(json, data: [0, 0, 0]))
        }
        let same = "{\(entry("a", "U8", "[2]", 0, 2)),\(entry("b", "U8", "[2]", 0, 2))}"
        expectError(.invalidOffset, saying: "overlap") { try parse(file(same, data: [0, 0])) }
    }

    @Test("6: a tensor that ends before it begins is refused")
    func reversedOffsets() {
        let json = "{\(entry("a", "U8", "[2]", 0, 2)),\(entry("b", "U8", "[1]", 2, 1))}"
        expectError(.invalidOffset, saying: "[2, 1] end before they begin", "tensor 'b'") {
            try parse(file(json, data: [0, 0]))
        }
    }

    @Test("7: a shape whose product overflows is refused")
    func productOverflow() {
        expectError(.shapeOverflow, saying: "tensor 'w'", "2^64") {
            try parse(file("{\(entry("w", "U8", "[9223372036854775807,3]", 0, 1))}", data: [0]))
        }
    }

    @Test("7: a shape whose bits overflow is refused")
    func bitsOverflow() {
        let json = "{\(entry("w", "F32", "[2305843009213693952]", 0, 1))}"
        expectError(.shapeOverflow) { try parse(file(json, data: [0])) }
    }

    @Test("7: overflow depends on the order of dimensions, as in the reference")
    func overflowOrder() throws {
        let huge = "9223372036854775807"
        let header = try parse(file("{\(entry("w", "F32", "[0,\(huge),\(huge)]", 0, 0))}"))
        #expect(header.tensors[0].elementCount == 0)
        #expect(header.tensors[0].byteCount == 0)
        expectError(.shapeOverflow) {
            try parse(file("{\(entry("w", "F32", "[\(huge),\(huge),0]", 0, 0))}"))
        }
    }

    @Test(
        "8: elements below a byte must fill whole bytes", arguments: ["F4", "F6_E2M3", "F6_E3M2"])
    func misaligned(name: String) throws {
        expectError(.misalignedTensor, saying: "tensor 'w'", "\(name) of shape [3]") {
            try parse(file("{\(entry("w", name, "[3]", 0, 2))}", data: [0, 0]))
        }
        let bytes = name == "F4" ? 2 : 3
        let good = file(
            "{\(entry("w", name, "[2,2]", 0, bytes))}", data: .init(repeating: 0, count: bytes))
        #expect(try parse(good).tensors[0].byteCount == bytes)
    }

    @Test(
        "9: a tensor's bytes must be those of its shape and dtype", arguments: ["[1]", "[3]", "[]"])
    func wrongTensorSize(shape: String) {
        expectError(.wrongTensorSize, saying: "tensor 'w'", "[0, 8]", "give it 8") {
            try parse(
                file("{\(entry("w", "F32", shape, 0, 8))}", data: .init(repeating: 0, count: 8)))
        }
    }

    @Test("10: a truncated file says how many bytes it is short")
    func truncatedData() {
        expectError(.wrongFileSize, saying: "file is 3 bytes short", "8 + 55 + 4 = 67", "has 64") {
            try parse(file("{\(entry("w", "U8", "[4]", 0, 4))}  ", data: [1]))
        }
    }

    @Test("10: bytes after the last tensor are refused")
    func trailingBytes() {
        expectError(.wrongFileSize, saying: "file is 2 bytes too long") {
            try parse(file("{\(entry("w", "U8", "[1]", 0, 1))}", data: [1, 2, 3]))
        }
        expectError(.wrongFileSize, saying: "1 bytes too long") { try parse(file("{}", data: [0])) }
    }

    @Test("10: promises beyond the address space are a short file, not an overflow")
    func astronomicalSize() {
        let half = 1 << 60
        var entries = (0..<7).map { entry("\($0)", "U8", "[\(half)]", $0 * half, ($0 + 1) * half) }
        entries.append(entry("last", "U8", "[\(half - 1)]", 7 * half, 7 * half + (half - 1)))
        expectError(.wrongFileSize, saying: "bytes short") {
            try parse(file("{\(entries.joined(separator: ","))}"))
        }
    }

    // MARK: Beyond the reference

    @Test("a name that occurs twice is refused, plain, escaped or in another Unicode form")
    func duplicateNames() {
        for (first, second) in [("a", "a"), ("a", "\\u0061"), ("\u{E9}", "e\u{301}")] {
            let json = "{\(entry(first, "U8", "[1]", 0, 1)),\(entry(second, "U8", "[1]", 1, 2))}"
            expectError(.duplicateName, saying: "twice") { try parse(file(json, data: [0, 0])) }
        }
        expectError(.duplicateName) { try parse(file(#"{"__metadata__":{},"__metadata__":{}}"#)) }
        expectError(.duplicateName) { try parse(file(#"{"__metadata__":{"a":"","a":""}}"#)) }
    }

    @Test("a key that occurs twice in an entry is refused, known or not, few keys or many")
    func duplicateKeys() {
        for key in [#""dtype":"U8""#, #""x":1"#, #""x":{"y":1,"y":2},"z":1"#] {
            let json = #"{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1],\#(key),\#(key)}}"#
            expectError(.duplicateName, saying: "tensor 'w'") { try parse(file(json, data: [0])) }
        }
        let many = (0..<20).map { "\"k\($0)\":0" } + ["\"k3\":0"]
        let json = "{\"w\":{\(many.joined(separator: ","))}}"
        expectError(.duplicateName, saying: "'k3'") { try parse(file(json)) }
        let late = (0..<20).map { "\"k\($0)\":0" } + ["\"k15\":0"]
        expectError(.duplicateName, saying: "'k15'") {
            try parse(file("{\"w\":{\(late.joined(separator: ","))}}"))
        }
    }

    @Test("unknown keys of an entry are skipped, whatever they hold")
    func unknownKeys() throws {
        let values = [
            "0", "-0", "1", "-1.5e+10", "2E-3", "true", "false", "null", #""a\"\\\u00e9""#, "[]",
            "{}",
            #"[1, [2, {"a": [ ]}] , "x"]"#, #"{"a":{"b":[null,true]},"c":1.25}"#,
        ]
        for value in values {
            let json = #"{"w":{"x": \#(value) ,"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
            #expect(try parse(file(json, data: [7])).tensors.count == 1, "\(value)")
        }
        for value in [
            "01", "1.", ".5", "-", "1e", "1e+", "tru", "nul", "NaN", "Infinity", "+1", "\"", "[1,]",
            "[", "{",
            "{1:2}", "'a'", #""\x""#, #""\u12g4""#, "\"\u{1}\"", "", "[1 2]", "\\", "-01",
        ] {
            let json = #"{"w":{"x":\#(value),"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
            expectError(.invalidHeader) { try parse(file(json, data: [7])) }
        }
    }

    @Test("nesting is limited, so that no header can exhaust the stack")
    func nesting() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
            let deep =
                String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            return file(#"{"w":{"x":\#(deep),"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#)
        }
        #expect(try parse(nested(126, "[", "]")).tensors.count == 1)
        #expect(try parse(nested(126, "{\"a\":", "}")).tensors.count == 1)
        expectError(.invalidHeader, saying: "deeper than 128") { try parse(nested(127, "[", "]")) }
        expectError(.invalidHeader, saying: "deeper than 128") {
            try parse(nested(1_000_000, "[", "]"))
        }
        expectError(.invalidHeader, saying: "deeper than 128") {
            try parse(nested(1_000_000, "{\"a\":", "}"))
        }
    }

    @Test("at most 64 dimensions are read")
    func rank() throws {
        func ones(_ count: Int) -> [UInt8] {
            let shape = "[" + [String](repeating: "1", count: count).joined(separator: ",") + "]"
            return file("{\(entry("w", "U8", shape, 0, 1))}", data: [0])
        }
        #expect(try parse(ones(64)).tensors[0].shape.count == 64)
        expectError(.invalidHeader, saying: "more than 64 dimensions") { try parse(ones(65)) }
        expectError(.shapeOverflow, saying: "65 dimensions") {
            try SafetensorsHeader(
                tensors: [
                    .init(
                        name: "w", elementType: .u8, shape: .init(repeating: 1, count: 65),
                        range: 0..<1)
                ],
                metadata: [:])
        }
    }

    @Test("strings are decoded: escapes, surrogate pairs, any script")
    func strings() throws {
        let json = #"{"__metadata__":{"a\/\"\\\b\f\n\r\t\u00e9":"\ud83d\ude00\u0000漢字 😀é"}}"#
        #expect(
            try parse(file(json)).metadata
                == ["a/\"\\\u{8}\u{C}\n\r\t\u{E9}": "\u{1F600}\u{0}漢字 😀é"])
        for half in [
            #"\ud83d"#, #"\ude00"#, #"\ud83dx"#, #"\ud83d\n"#, #"\ud83d\ud83d"#, #"\ud83d\u0041"#,
        ] {
            expectError(.invalidHeader, saying: "surrogate") {
                try parse(file(#"{"__metadata__":{"a":"\#(half)"}}"#))
            }
        }
    }

    @Test("whitespace may stand before, after and between, as the reference's tests want")
    func whitespace() throws {
        let json =
            " \t\r\n{ \"w\" : { \"dtype\" : \"U8\" , \"shape\" : [ 1 , 1 ] , "
            + "\"data_offsets\" : [ 0 , 1 ] } }\n\t  "
        #expect(try parse(file(json, data: [9])).tensors[0].shape == [1, 1])
        #expect(try parse(file("{}" + String(repeating: " ", count: 1000))).tensors.isEmpty)
    }

    @Test("tensors come in the order of their bytes, not of the header")
    func order() throws {
        let json = "{\(entry("z", "U8", "[1]", 2, 3)),\(entry("a", "U16", "[1]", 0, 2))}"
        let tensors = try parse(file(json, data: [1, 2, 3])).tensors
        #expect(tensors.map(\.name) == ["a", "z"])
        #expect(tensors.map(\.range) == [0..<2, 2..<3])
    }

    @Test("empty tensors may share an offset, in any order, and rank 0 is one number")
    func emptyAndScalar() throws {
        let json =
            "{"
            + [
                entry("b", "F32", "[2,0]", 4, 4), entry("s", "F32", "[]", 0, 4),
                entry("a", "U8", "[0]", 4, 4), entry("t", "I8", "[]", 4, 5),
                entry("e", "U8", "[0]", 0, 0),
            ].joined(separator: ",") + "}"
        let header = try parse(file(json, data: [0, 0, 0, 0, 0]))
        #expect(header.tensors.map(\.name) == ["e", "s", "b", "a", "t"])
        #expect(header.tensors.map(\.elementCount) == [0, 1, 0, 0, 1])
        #expect(header.tensors.map(\.byteCount) == [0, 4, 0, 0, 1])
    }

    @Test("every dtype is read")
    func allElementTypes() throws {
        for type in ElementType.allCases {
            let json = "{\(entry("w", type.rawValue, "[4,2]", 0, type.bitCount))}"
            let header = try parse(file(json, data: .init(repeating: 0, count: type.bitCount)))
            #expect(header.tensors[0].elementType == type)
        }
    }

    @Test("a small good file is refused when cut at any byte")
    func truncationEverywhere() throws {
        let json =
            "{\"__metadata__\":{\"k\":\"v\"},\(entry("a", "F32", "[2]", 0, 8)),"
            + "\(entry("b", "U8", "[3]", 8, 11))}  "
        let good = file(json, data: .init(0..<11))
        #expect(try parse(good).tensors.count == 2)
        for count in 0..<good.count {
            #expect(throws: ModelFileError.self, "cut to \(count)") {
                try parse(.init(good[..<count]))
            }
        }
    }

    @Test("the header's bytes suffice, and fewer are an error, not a crash")
    func headerBytesOnly() throws {
        let good = file("{\(entry("w", "U8", "[100]", 0, 100))}")
        #expect(try parse(good, fileSize: good.count + 100).tensors.count == 1)
        for count in 0..<good.count {
            #expect(throws: ModelFileError.self) {
                try parse(.init(good[..<count]), fileSize: good.count + 100)
            }
        }
        for size in [-1, Int.min, 0, good.count, .max] {
            #expect(throws: ModelFileError.self) { try parse(good, fileSize: size) }
        }
    }

    // MARK: Writing

    @Test("a header is written as the reference writes it, to the byte")
    func encodedBytes() throws {
        let header = try SafetensorsHeader(
            tensors: [
                .init(name: "b", elementType: .f32, shape: [2, 1], range: 0..<8),
                .init(name: "a\"\n\u{1}é", elementType: .u8, shape: [], range: 8..<9),
            ], metadata: ["z": "1", "a": "2"])
        let json =
            #"{"__metadata__":{"a":"2","z":"1"},"b":{"dtype":"F32","shape":[2,1],"#
            + #""data_offsets":[0,8]},"a\"\n\u0001é":{"dtype":"U8","shape":[],"#
            + #""data_offsets":[8,9]}}"#
        let padding = String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
        #expect(try header.encoded() == file(json + padding))
        #expect(header.dataOffset == 8 + json.utf8.count + padding.utf8.count)
    }

    @Test("what is read back equals what was written, empty headers included")
    func roundTrip() throws {
        let cases: [([SafetensorsHeader.Tensor], [String: String])] = [
            ([], [:]), ([], ["only": "metadata", "": "", "\u{0}\"\\/\u{7F}": "\t\u{1F}漢\u{2028}"]),
            (
                [
                    .init(name: "", elementType: .f32, shape: [], range: 0..<4),
                    .init(name: "e1", elementType: .bf16, shape: [0, .max, .max], range: 4..<4),
                    .init(name: "e0", elementType: .f32, shape: [3, 0], range: 4..<4),
                    .init(name: "f4", elementType: .f4, shape: [3, 2], range: 4..<7),
                ], ["a": "b"]
            ),
        ]
        for (tensors, metadata) in cases {
            let bytes = try SafetensorsHeader(tensors: tensors, metadata: metadata).encoded()
            #expect(bytes.count % 8 == 0)
            #expect(bytes[8] == UInt8(ascii: "{"))
            let size = bytes.count + (tensors.last?.range.upperBound ?? 0)
            let back = try parse(bytes, fileSize: size)
            #expect(back.tensors == tensors)
            #expect(back.metadata == metadata)
            #expect(back.dataOffset == bytes.count)
            #expect(try back.encoded() == bytes)
        }
    }

    @Test("a header that could not be read back is not made")
    func refusedHeaders() {
        func make(_ tensors: [SafetensorsHeader.Tensor]) throws {
            _ = try SafetensorsHeader(tensors: tensors, metadata: [:])
        }
        let a = SafetensorsHeader.Tensor(name: "a", elementType: .u8, shape: [2], range: 0..<2)
        expectError(.duplicateName) {
            try make([a, .init(name: "a", elementType: .u8, shape: [1], range: 2..<3)])
        }
        expectError(.duplicateName) {
            try make([.init(name: "__metadata__", elementType: .u8, shape: [1], range: 0..<1)])
        }
        expectError(.invalidOffset) {
            try make([a, .init(name: "b", elementType: .u8, shape: [1], range: 3..<4)])
        }
        expectError(.invalidOffset) {
            try make([a, .init(name: "b", elementType: .u8, shape: [2], range: 1..<3)])
        }
        expectError(.wrongTensorSize) {
            try make([.init(name: "b", elementType: .f32, shape: [2], range: 0..<4)])
        }
        expectError(.wrongTensorSize) {
            try make([.init(name: "b", elementType: .f32, shape: [-1, -1], range: 0..<4)])
        }
    }

    @Test("a header over 100 MB is not written")
    func hugeHeader() {
        let metadata = ["k": String(repeating: "x", count: 100_000_001)]
        expectError(.headerTooLarge, saying: "100000000") {
            try SafetensorsHeader(tensors: [], metadata: metadata).encoded()
        }
    }

    @Test("a header of 100,000 tensors is read")
    func manyTensors() throws {
        let tensors = (0..<100_000).map {
            SafetensorsHeader.Tensor(
                name: "model.layers.\($0).self_attn.q_proj.weight", elementType: .bf16,
                shape: [8, 4],
                range: $0 * 64..<($0 + 1) * 64)
        }
        let bytes = try SafetensorsHeader(tensors: tensors, metadata: [:]).encoded()
        let clock = ContinuousClock()
        var header: SafetensorsHeader?
        let time = try clock.measure {
            header = try bytes.withUnsafeBytes {
                try SafetensorsHeader(parsing: $0, fileSize: bytes.count + 6_400_000, path: "m.st")
            }
        }
        print("100,000 tensors, \(bytes.count) bytes of header: \(time)")
        #expect(header?.tensors == tensors)
    }
}
