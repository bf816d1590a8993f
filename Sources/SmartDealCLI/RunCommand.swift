import ArgumentParser
import Foundation
import SmartDeal

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a network on NumPy arrays.",
        discussion: """
            Reads MODEL (.onnx, dense or compressed), runs it on the arrays given and writes its \
            first output to OUTPUT, and any others beside it as OUTPUT with the output's name \
            before `.npy`. An input without NAME= is the network's first.
            """)

    @Argument(help: ArgumentHelp("The model to run.", valueName: "model"))
    var model: String

    @Option(help: ArgumentHelp("An input array, float or integer.", valueName: "[name=]x.npy"))
    var input: [String] = []

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("The file for the first output.", valueName: "y.npy"))
    var output: String

    @OptionGroup var arithmetic: PrecisionOption

    @OptionGroup var weights: RebuildOption

    @OptionGroup var common: CommonOptions

    private struct Result: Encodable {
        struct Output: Encodable {
            var name: String
            var shape: [Int]
            var path: String
        }
        var model: String
        var outputs: [Output]
        var seconds: Double
    }

    func run() throws {
        try common.run { progress in
            let network = try LoadedNetwork(path: model).network
            let paths = try outputPaths(of: network)
            // A place that cannot be written to should not be found out after the work.
            for path in paths.values { try AtomicFile(target: path).discard() }
            let inputs = try arrays(for: network)
            let plan = try ExecutionPlan(
                network, inputShapes: inputs.mapValues(\.shape), threads: common.threadCount,
                precision: arithmetic.precision, rebuilding: weights.rebuild)
            let begin = ContinuousClock.now
            let outputs = try plan.run(inputs)
            let time = ContinuousClock.now - begin
            guard !progress.isCancelled else {
                throw SmartDealError(.interrupted, "stopped before anything was written")
            }
            var written: [Result.Output] = []
            for name in network.outputs {
                // A network may give one value twice.
                guard let tensor = outputs[name], let path = paths[name],
                    !written.contains(where: { $0.name == name })
                else { continue }
                try NPYFile.write(tensor, to: path)
                written.append(.init(name: name, shape: tensor.shape, path: path))
            }
            try common.print(
                Result(model: model, outputs: written, seconds: time.inSeconds),
                text: written.map { "\($0.name) \($0.shape) -> \($0.path)" }
                    .joined(separator: "\n"))
        }
    }

    /// The arrays of all inputs, by name.
    private func arrays(for network: Network) throws -> [String: Tensor] {
        var arrays: [String: Tensor] = [:]
        for text in input {
            let argument = try InputArgument(text, for: network) {
                FileManager.default.fileExists(atPath: $0)
            }
            guard arrays[argument.name] == nil else {
                throw NetworkError(.invalidInput, "input '\(argument.name)' is given twice")
            }
            arrays[argument.name] = try NPYFile(path: argument.value).tensor
        }
        let missing = network.inputs.filter { arrays[$0.name] == nil }
        guard missing.isEmpty else {
            let list = missing.map { "--input \($0.name)=FILE.npy (\($0.typeText))" }
            throw NetworkError(
                .invalidInput, "not all inputs are given: " + list.joined(separator: ", "))
        }
        return arrays
    }

    /// Where each output goes: for `Y.npy` and an output `z` after the first `Y.z.npy`, with
    /// slashes and spaces in names as underscores.
    private func outputPaths(of network: Network) throws -> [String: String] {
        let base = output.hasSuffix(".npy") ? String(output.dropLast(4)) : output
        var paths: [String: String] = [:]
        for name in network.outputs where paths[name] == nil {
            let safe = String(name.map { $0 == "/" || $0.isWhitespace ? "_" : $0 })
            let path = paths.isEmpty ? output : "\(base).\(safe).npy"
            if let other = paths.first(where: { $0.value == path })?.key {
                throw ModelFileError(
                    code: .cannotWrite,
                    message: "the outputs '\(other)' and '\(name)' would go to the same file",
                    path: path)
            }
            paths[name] = path
        }
        return paths
    }
}
