import ModelFiles
import Networks
import PowerOfTwo
import Training

/// The packed weights that a phase began with, in a file of their own: their alphabets, shapes and
/// masks are what later states fit to.
struct StartWeights {
    /// By the name of the parameter.
    let parameters: [String: CompressedParameter]
    /// Of the file.
    let checksum: String

    /// Writes those of a network.
    static func write(_ network: Network, to path: String) throws -> StartWeights {
        let writer = try SafetensorsWriter(target: path)
        var metadata: [String: String] = [:]
        for (name, parameter) in network.parameters.sorted(by: { $0.key < $1.key }) {
            guard case .smartDeal(let packed) = parameter else { continue }
            metadata.merge(
                try PackedTensor.append(packed.weight, name: name, elementType: .f32, to: writer)
            ) { first, _ in first }
        }
        _ = try writer.finish(metadata: metadata)
        return try StartWeights(path: path, for: network)
    }

    /// Reads them.
    ///
    /// - Parameter network: the network, which says how its weights lie.
    /// - Throws: ``ModelFileError``; ``TrainingError`` `.invalidCheckpoint` for weights that the
    ///   network does not have.
    init(path: String, for network: Network) throws {
        var checksum = Checksum()
        try MappedFile(path: path).withBytes { checksum.add($0) }
        self.checksum = checksum.text
        let sites = Dictionary(
            network.weightSites.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        parameters = try Dictionary(
            uniqueKeysWithValues: ModelCheckpoint(path: path).packedWeights().map {
                guard let site = sites[$0.key], site.shape == $0.value.weight.geometry.shape else {
                    throw TrainingError(
                        .invalidCheckpoint, "the network has no weight '\($0.key)' like it",
                        path: path)
                }
                let packed = CompressedParameter(
                    $0.value.weight, isTransposed: site.isTransposed)
                return ($0.key, packed)
            })
    }
}
