import ModelFiles
import Testing

@Suite("ModelFileError")
struct ModelFileErrorTests {
    @Test("an error reads: code, file, tensor, message")
    func description() {
        let error = ModelFileError(
            code: .invalidHeader, message: "why", path: "a.safetensors", tensor: "w")
        #expect(error.description == "invalid-header in 'a.safetensors', tensor 'w': why")
        #expect(
            ModelFileError(code: .emptyFile, message: "why", path: "a").description
                == "empty-file in 'a': why")
        #expect(ModelFileError(code: .emptyFile, message: "why").description == "empty-file: why")
    }

    @Test("a hostile name can neither drive the terminal nor fill the log")
    func hostileNames() {
        let error = ModelFileError(
            code: .invalidHeader, message: "",
            tensor: "\u{1B}[2J\u{202E}\n" + .init(repeating: "x", count: 9999))
        #expect(error.description.contains("'\\u{1b}[2J\\u{202e}\\u{a}xxx"))
        #expect(error.description.utf8.count < 300)
    }
}

@Suite("ElementType")
struct ElementTypeTests {
    @Test("every dtype of the format is known under its name, with its size")
    func sizes() {
        let expected = [
            "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8,
            "F8_E8M0": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32,
            "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
        ]
        let actual = ElementType.allCases.map { ($0.rawValue, $0.bitCount) }
        #expect(Dictionary(uniqueKeysWithValues: actual) == expected)
    }

    @Test("weights are F32, F16 and BF16")
    func weightTypes() {
        #expect(Set(ElementType.allCases.filter(\.isWeightType)) == [.f32, .f16, .bf16])
    }
}
