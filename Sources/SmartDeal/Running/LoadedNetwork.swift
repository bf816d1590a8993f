import Decomposition
import Foundation
import Inference
import ModelFiles
import Networks

/// A network from a file or from the zoo.
public struct LoadedNetwork: Sendable {
    public var network: Network
    /// The file's path, or the name of the built-in network.
    public let name: String
    /// Bytes of the file; nil for a built-in network.
    public let fileByteCount: Int?

    /// Reads an ONNX file.
    ///
    /// - Throws: ``ModelFileError``; `.noGraph` for a safetensors file, which has weights only.
    public init(path: String) throws {
        let file = try MappedFile(path: path)
        let isONNX = file.withBytes { ONNXModel.looksLikeONNX($0) }
        guard isONNX else {
            let isCheckpoint = (try? Checkpoint(path: path)) != nil
            throw ModelFileError(
                code: isCheckpoint ? .noGraph : .unknownFormat,
                message: isCheckpoint
                    ? "a safetensors file holds weights but not what is computed with them; "
                        + "export the model to ONNX to run it"
                    : "this is no ONNX file", path: path)
        }
        network = try ONNXModel(mapped: file).network()
        name = path
        fileByteCount = file.byteCount
    }

    /// A built-in network with random weights.
    ///
    /// - Throws: ``NetworkError`` `.unknownNetwork`.
    public init(builtIn specification: String, seed: UInt64 = 0) throws {
        network = try Zoo.network(specification, seed: seed)
        name = specification
        fileByteCount = nil
    }

    /// A file if there is one of this name, or else a built-in network.
    ///
    /// - Throws: as ``init(path:)`` for what is like a path, as ``init(builtIn:seed:)`` for others.
    public init(_ name: String, seed: UInt64 = 0) throws {
        if Self.isBuiltIn(name) {
            try self.init(builtIn: name, seed: seed)
        } else {
            try self.init(path: name)
        }
    }

    /// Whether a name is meant for a built-in network: there is no such file, nor is it like a path.
    static func isBuiltIn(_ name: String) -> Bool { !isFile(name) && !isLikePath(name) }

    private static func isFile(_ name: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: name, isDirectory: &isFolder)
            && !isFolder.boolValue
    }

    /// Whether a name that is no file is rather a wrong path than a wrong built-in network.
    private static func isLikePath(_ name: String) -> Bool {
        let base = String(name.prefix { $0 != "@" && $0 != "/" })
        guard !Zoo.names.contains(base) else { return false }
        return name.contains(".")
            || name.contains("/") && NearNames.of(base, among: Zoo.names).isEmpty
    }
}

extension LoadedNetwork {
    /// Puts random weights in SmartDeal form the quick way, because their values say nothing.
    ///
    /// - Parameter prune: the share of weights to set to zero in groups.
    /// - Throws: ``DecompositionError``; ``SmartDealError`` `.interrupted`.
    public mutating func compressRandomWeights(
        prune: Double? = nil, threads: Int = 1, seed: UInt64 = 0,
        progress: TaskProgress = TaskProgress()
    ) throws {
        var recipe = Recipe()
        recipe.defaults.append(.init("mode", .text("fast")))
        if let prune { recipe.defaults.append(.init("prune", .number(prune))) }
        let total = network.weightSites.reduce(0) { $0 + $1.shape.reduce(1, *) }
        progress.begin("compressing", total: total)
        network = try network.compressed(recipe: recipe, threads: threads, seed: seed) {
            try progress.advance($0, tensor: $1)
        }
    }
}

extension LoadedNetwork {
    /// Finds the ranges of values on random inputs, whose accuracy says nothing either.
    ///
    /// - Throws: ``NetworkError``.
    public mutating func calibrateOnRandomInputs(
        shapes: [String: [Int]] = [:], threads: Int = 1, seed: UInt64 = 0
    ) throws {
        let random = try RandomInputs(for: network, given: shapes)
        var calibration = RangeCalibration(network, threads: threads)
        try calibration.observe(random.tensors(seed: seed))
        network.activationRanges = calibration.ranges
    }
}

extension ModelFileError.Code {
    /// The file has weights but no network.
    public static let noGraph = Self(rawValue: "no-graph")
}
