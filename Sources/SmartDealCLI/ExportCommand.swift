import ArgumentParser
import SmartDeal

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a built-in network with random weights, or a model on bytes, as ONNX.",
        discussion: """
            Networks: \(Zoo.names.joined(separator: ", ")); @CxHxW, /classes. With --precision int8 \
            the file has QuantizeLinear and DequantizeLinear wherever this project rounds when it \
            runs a network on bytes, so that others compute the same; a model needs the ranges of \
            its values for that (compress --calibrate).
            """)

    @Argument(help: ArgumentHelp("The built-in network, or a model.", valueName: "network"))
    var network: String

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The file to write.", valueName: "out.onnx"))
    var output: String

    @Option(help: ArgumentHelp("ONNX operator set, 11 to 21.", valueName: "n"))
    var opset = 17

    @Option(help: ArgumentHelp("Seed of the weights.", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var arithmetic: PrecisionOption

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        var network: String
        var output: String
        var output_bytes: Int
        var opset: Int
        var precision: String
    }

    func validate() throws {
        guard (11...21).contains(opset) else {
            throw ValidationError("--opset must be in 11...21, got \(opset).")
        }
    }

    func run() throws {
        try common.run { _ in
            // A place that cannot be written to should not be found out after the work.
            try AtomicFile(target: output).discard()
            var loaded = try LoadedNetwork(network, seed: seed)
            let model: ONNXModel
            switch arithmetic.precision {
            case .f32:
                model = try ONNXModel(network: loaded.network, opset: opset, path: output)
            case .int8:
                if loaded.fileByteCount == nil {
                    try loaded.calibrateOnRandomInputs(threads: common.threadCount, seed: seed)
                }
                let prepared = try loaded.network.preparedForBytes()
                model = try ONNXModel(
                    network: prepared.network, rounding: prepared.rounding, opset: opset,
                    path: output)
            }
            let bytes = try model.write(to: output)
            try common.print(
                Result(
                    network: network, output: output, output_bytes: bytes, opset: opset,
                    precision: arithmetic.precision.rawValue),
                text: "\(output): \(HumanNumber.bytes(bytes)), opset \(opset)")
        }
    }
}
