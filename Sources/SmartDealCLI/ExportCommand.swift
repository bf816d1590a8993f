import ArgumentParser
import SmartDeal

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a built-in network with random weights as ONNX.",
        discussion: "Networks: \(Zoo.names.joined(separator: ", ")); @CxHxW, /classes.")

    @Argument(help: ArgumentHelp("The built-in network.", valueName: "network"))
    var network: String

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The file to write.", valueName: "out.onnx"))
    var output: String

    @Option(help: ArgumentHelp("ONNX operator set, 11 to 21.", valueName: "n"))
    var opset = 17

    @Option(help: ArgumentHelp("Seed of the weights.", valueName: "n"))
    var seed: UInt64 = 0

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        var network: String
        var output: String
        var output_bytes: Int
        var opset: Int
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
            let loaded = try LoadedNetwork(builtIn: network, seed: seed)
            let bytes = try ONNXModel(network: loaded.network, opset: opset, path: output)
                .write(to: output)
            try common.print(
                Result(network: network, output: output, output_bytes: bytes, opset: opset),
                text: "\(output): \(HumanNumber.bytes(bytes)), opset \(opset)")
        }
    }
}
