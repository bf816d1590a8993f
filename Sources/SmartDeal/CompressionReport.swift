import Foundation

/// What compressing a file did to it, or would do.
public struct CompressionReport: Sendable, Codable, Equatable {
    /// What happened to one tensor. Keys as the JSON output has them.
    public struct Tensor: Sendable, Codable, Equatable {
        public var name: String
        /// ``LayerKind`` as text.
        public var kind: String
        public var shape: [Int]
        public var dtype: String
        public var compressed: Bool
        /// Why it was not compressed, or how it was: mode and special settings.
        public var reason: String
        /// ||W - rebuilt||_F / ||W||_F; nil where nothing was lost or it is not known.
        public var relative_error: Double?
        /// Shares that are not zero: coefficients, rows, positions of the group mask.
        public var density: Double?
        public var row_density: Double?
        public var group_density: Double?
        public var alphabet: String?
        public var nibbles_per_row: Int?
        public var basis_width: Int?
        public var filters_per_basis: Int?
        /// Bits of its symbols, masks, basis and scales a dense weight.
        public var bits_per_weight: Double
        public var bytes_before: Int
        public var bytes_after: Int
        /// Bits by the accounting of the authors' code.
        public var authors_bits: Int?
        /// Bits as the papers' hardware counts: 4 a stored coefficient, 8 a basis element, 1 a row.
        public var hardware_bits: Int?
        /// How often each symbol is stored.
        public var symbol_counts: [Int]?

        public var weightCount: Int { shape.reduce(1, *) }
    }

    public var input: String
    public var output: String?
    public var mode: String
    public var recipe: String
    /// Bytes of the file or files read, and of the file written.
    public var input_bytes: Int
    public var output_bytes: Int
    /// `input_bytes / output_bytes`.
    public var ratio: Double
    /// The same for the compressed weights alone, names and header apart.
    public var weights_ratio: Double
    /// The error of all compressed weights, each counted by its number of weights:
    /// sqrt(Σ weights · error² / Σ weights).
    public var relative_error: Double?
    /// Bits of the compressed weights in the file, their share of the header included, a weight.
    public var bits_per_weight: Double?
    public var seconds: Double
    public var threads: Int
    public var instruction_set: String
    /// Whether sizes and errors are predictions and nothing was written.
    public var estimated: Bool
    public var tensors: [Tensor]
    /// Accuracy and time before and after, when a data set was given.
    public var comparison: ModelComparison?

    /// The largest error of a tensor, and its name.
    public var worst: (name: String, error: Double)? {
        tensors.compactMap { tensor in tensor.relative_error.map { (tensor.name, $0) } }
            .max { $0.1 < $1.1 }.map { (name: $0.0, error: $0.1) }
    }
}

extension CompressionReport.Tensor {
    /// Writes every key, `null` where nothing is known, so that scripts find them all.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(kind, forKey: .kind)
        try container.encode(shape, forKey: .shape)
        try container.encode(dtype, forKey: .dtype)
        try container.encode(compressed, forKey: .compressed)
        try container.encode(reason, forKey: .reason)
        try container.encode(relative_error, forKey: .relative_error)
        try container.encode(density, forKey: .density)
        try container.encode(row_density, forKey: .row_density)
        try container.encode(group_density, forKey: .group_density)
        try container.encode(alphabet, forKey: .alphabet)
        try container.encode(nibbles_per_row, forKey: .nibbles_per_row)
        try container.encode(basis_width, forKey: .basis_width)
        try container.encode(filters_per_basis, forKey: .filters_per_basis)
        try container.encode(bits_per_weight, forKey: .bits_per_weight)
        try container.encode(bytes_before, forKey: .bytes_before)
        try container.encode(bytes_after, forKey: .bytes_after)
        try container.encode(authors_bits, forKey: .authors_bits)
        try container.encode(hardware_bits, forKey: .hardware_bits)
        try container.encode(symbol_counts, forKey: .symbol_counts)
    }
}
