import Foundation
import SmartDeal
import Testing

@Suite("The tool's command run")
struct RunCommandTests {
    private let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
        try folder.write(
            Network(
                name: "double", inputs: [.init("x", .float32, [.named("n"), 2])], outputs: ["y"],
                nodes: [Node("sum", .binary(.add), inputs: ["x", "x"], outputs: ["y"])]),
            to: "double.onnx")
        // Two inputs, one of integers and one whose name has a `=`; two outputs, and one twice.
        try folder.write(
            Network(
                name: "pick",
                inputs: [.init("a=b", .float32, [2, 3]), .init("rows", .int64, [.named("n")])],
                outputs: ["sum", "picked/rows here"],
                nodes: [
                    Node("sum", .binary(.add), inputs: ["a=b", "a=b"], outputs: ["sum"]),
                    Node(
                        "pick", .gather(axis: 0), inputs: ["a=b", "rows"],
                        outputs: ["picked/rows here"]),
                ]), to: "pick.onnx")
        try folder.write(Tensor(shape: [1, 2], [1, 2]), to: "x.npy")
        try folder.write(Tensor(shape: [2, 3], [1, 2, 3, 4, 5, 6]), to: "a.npy")
        try folder.write(Tensor(shape: [3], integers: [1, 0, 1]), to: "rows.npy")
    }

    private func run(_ arguments: String...) throws -> Tool.Result {
        try Tool.start(["run"] + arguments, in: folder.path).wait()
    }

    @Test("one input needs no name, and any size of a named dimension is run")
    func singleInput() throws {
        let result = try run("double.onnx", "--input", "x.npy", "--output", "y.npy")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == "y [1, 2] -> y.npy\n" && result.errors == "")
        #expect(try folder.tensor("y.npy") == Tensor(shape: [1, 2], [2, 4]))
        try folder.write(Tensor(shape: [3, 2], [1, 2, 3, 4, 5, 6]), to: "x3.npy")
        #expect(try run("double.onnx", "--input", "x=x3.npy", "-o", "y.npy").status == 0)
        #expect(try folder.tensor("y.npy") == Tensor(shape: [3, 2], [2, 4, 6, 8, 10, 12]))
    }

    @Test("several inputs, also integers, and every output in a file of its own")
    func severalInputs() throws {
        let result = try run(
            "pick.onnx", "--input", "rows=rows.npy", "--input", "a=b=a.npy", "--output", "y.npy",
            "--json", "--quiet")
        #expect(result.status == 0 && result.errors == "", "\(result.errors)")
        #expect(try folder.tensor("y.npy") == Tensor(shape: [2, 3], [2, 4, 6, 8, 10, 12]))
        let picked = Tensor(shape: [3, 3], [4, 5, 6, 1, 2, 3, 4, 5, 6])
        #expect(try folder.tensor("y.picked_rows_here.npy") == picked)
        let object = try result.json()
        #expect(object["model"] as? String == "pick.onnx" && object["seconds"] is Double)
        let outputs = try #require(object["outputs"] as? [[String: Any]])
        #expect(outputs.map { $0["name"] as? String } == ["sum", "picked/rows here"])
        #expect(outputs.map { $0["path"] as? String } == ["y.npy", "y.picked_rows_here.npy"])
        #expect(outputs.map { $0["shape"] as? [Int] } == [[2, 3], [3, 3]])
    }

    @Test("a path may hold = as long as the file is there")
    func equalsInPath() throws {
        try folder.write(Tensor(shape: [1, 2], [3, 5]), to: "seed=1.npy")
        #expect(try run("double.onnx", "--input", "seed=1.npy", "--output", "y.npy").status == 0)
        #expect(try run("double.onnx", "--input", "x=seed=1.npy", "--output", "z.npy").status == 0)
        #expect(try folder.tensor("y.npy") == Tensor(shape: [1, 2], [6, 10]))
        #expect(try folder.tensor("z.npy") == Tensor(shape: [1, 2], [6, 10]))
    }

    @Test("64-bit floats are rounded to 32 bits")
    func doubles() throws {
        var header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }"
        header += String(repeating: " ", count: 117 - header.count) + "\n"
        let values = [0.1, -3.0].flatMap { value in
            (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }
        try folder.write(
            [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
                + Array(header.utf8) + values, to: "f8.npy")
        #expect(try run("double.onnx", "--input", "f8.npy", "--output", "y.npy").status == 0)
        #expect(try folder.tensor("y.npy") == Tensor(shape: [1, 2], [0.2, -6]))
    }

    @Test("an input that does not fit is named with what was found and what is expected")
    func wrongInputs() throws {
        func fail(_ arguments: [String], _ words: String...) throws {
            try folder.expectFailure(
                ["run"] + arguments + ["--output", "y.npy"], saying: ["invalid-input"] + words)
        }
        try fail(["double.onnx"], "--input x=FILE.npy (float32 [n, 2])")
        try fail(["pick.onnx", "--input", "a.npy"], "--input rows=FILE.npy (int64 [n])")
        try fail(["double.onnx", "--input", "a.npy"], "'x'", "[n, 2]", "found [2, 3]")
        try fail(["double.onnx", "--input", "rows.npy"], "'x'", "[n, 2]", "found [3]")
        try folder.write(Tensor(shape: [1, 2], integers: [1, 2]), to: "integers.npy")
        try fail(
            ["double.onnx", "--input", "integers.npy"],
            "'x' is int64 [1, 2], expected float32 [1, 2]")
        try fail(
            ["pick.onnx", "--input", "a.npy", "--input", "rows=a.npy"], "'rows'", "found [2, 3]")
        try fail(
            ["double.onnx", "--input", "z=x.npy"], "no input is named 'z'; there are 'x'")
        try fail(["double.onnx", "--input", "x.npy", "--input", "x=x.npy"], "'x' is given twice")
    }

    @Test("an array that cannot be read is named")
    func unreadableArrays() throws {
        try folder.write("not an array", to: "text.npy")
        for name in ["text.npy", "missing.npy", "double.onnx"] {
            try folder.expectFailure(
                ["run", "double.onnx", "--input", name, "--output", "y.npy"], saying: ["'\(name)'"])
        }
    }

    @Test("an output that cannot be written is found out before the work")
    func unwritableOutput() throws {
        for output in ["missing/y.npy", ".", ""] {
            try folder.expectFailure(
                ["run", "double.onnx", "--input", "missing.npy", "--output", output],
                saying: [output == "" ? "empty" : "'\(output)'"])
        }
    }

    @Test("a model that cannot be run says why")
    func wrongModels() throws {
        func fail(_ model: String, _ words: String...) throws {
            try folder.expectFailure(
                ["run", model, "--input", "x.npy", "--output", "y.npy"], saying: words)
        }
        try folder.writeModel("weights.safetensors")
        try fail("weights.safetensors", "no-graph", "'weights.safetensors'", "export", "ONNX")
        try fail("missing.onnx", "'missing.onnx'", "No such file")
        try fail(".", "it is a folder")
        try fail("x.npy", "'x.npy'", "no ONNX file")
        let whole = try folder.read("double.onnx")
        for count in [1, whole.count / 2, whole.count - 1] {
            try folder.write(Array(whole.prefix(count)), to: "cut.onnx")
            try fail("cut.onnx", "'cut.onnx'")
        }
        try folder.write([], to: "empty.onnx")
        try fail("empty.onnx", "no bytes")
    }

    @Test("an operator that is not computed is named with its node")
    func foreignOperator() throws {
        try folder.write(
            Network(
                name: "n", inputs: [.init("x", .float32, [1, 2])], outputs: ["y"],
                nodes: [Node("a node", .unary(.relu), inputs: ["x"], outputs: ["y"])]),
            to: "relu.onnx")
        var bytes = try folder.read("relu.onnx")
        let name = Array("Relu".utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
        bytes.replaceSubrange(place..<place + 4, with: Array("Rely".utf8))
        try folder.write(bytes, to: "rely.onnx")
        for arguments in [
            ["run", "rely.onnx", "--input", "x.npy", "--output", "y.npy"], ["bench", "rely.onnx"],
        ] {
            try folder.expectFailure(
                arguments, saying: ["unsupported-operator", "'a node'", "Rely"])
        }
    }
}
