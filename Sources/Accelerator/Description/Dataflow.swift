/// How the loops of a layer are laid onto an array, with the array's dimensions.
public enum Dataflow: Sendable, Equatable {
    /// Slices (filters) of lines (channels) of bit-serial MACs (output columns).
    /// - Source: SmartExchange (ISCA 2020).
    case slices(m: Int, c: Int, f: Int)
    /// Products of `c` inputs with the weights of `m` filters, every cycle: DianNao, Cambricon-X.
    case innerProduct(m: Int, c: Int)
    /// All products of non-zero inputs and weights, of `filters` filters at a time, by elements of
    /// some multipliers each: SCNN.
    case cartesianProduct(elements: Int, multipliers: Int, filters: Int)
    /// Rows of kernels against rows of inputs: Eyeriss. A processing element holds so many words.
    case rowStationary(rows: Int, columns: Int, weights: Int, inputs: Int, sums: Int)
    /// A systolic array in which outputs stay, `accumulators` a processing element.
    case outputStationary(rows: Int, columns: Int, accumulators: Int)
    /// A systolic array in which weights stay; `accumulators` below each column.
    case weightStationary(rows: Int, columns: Int, accumulators: Int)

    /// The keys of a description's `dataflow`, and of its `array` for each.
    static let keys: [(name: String, dimensions: [String])] = [
        ("slices", ["m", "c", "f"]), ("inner-product", ["m", "c"]),
        ("cartesian-product", ["elements", "multipliers", "filters"]),
        ("row-stationary", ["rows", "columns", "weights", "inputs", "sums"]),
        ("output-stationary", ["rows", "columns", "accumulators"]),
        ("weight-stationary", ["rows", "columns", "accumulators"]),
    ]

    init?(_ name: String, _ sizes: [Int]) {
        switch name {
        case "slices": self = .slices(m: sizes[0], c: sizes[1], f: sizes[2])
        case "inner-product": self = .innerProduct(m: sizes[0], c: sizes[1])
        case "cartesian-product":
            self = .cartesianProduct(
                elements: sizes[0], multipliers: sizes[1], filters: sizes[2])
        case "row-stationary":
            self = .rowStationary(
                rows: sizes[0], columns: sizes[1], weights: sizes[2], inputs: sizes[3],
                sums: sizes[4])
        case "output-stationary":
            self = .outputStationary(rows: sizes[0], columns: sizes[1], accumulators: sizes[2])
        case "weight-stationary":
            self = .weightStationary(rows: sizes[0], columns: sizes[1], accumulators: sizes[2])
        default: return nil
        }
    }

    /// Arithmetic units.
    public var units: Int {
        switch self {
        case .slices(let m, let c, let f): m * c * f
        case .innerProduct(let m, let c): m * c
        case .cartesianProduct(let elements, let multipliers, _): elements * multipliers
        case .rowStationary(let rows, let columns, _, _, _): rows * columns
        case .outputStationary(let rows, let columns, _),
            .weightStationary(let rows, let columns, _):
            rows * columns
        }
    }

    /// The array in words.
    public var text: String {
        switch self {
        case .slices(let m, let c, let f): "\(m) slices x \(c) lines x \(f) serial MACs"
        case .innerProduct(let m, let c): "\(m) filters x \(c) inputs"
        case .cartesianProduct(let elements, let multipliers, _):
            "\(elements) elements x \(multipliers) multipliers"
        case .rowStationary(let rows, let columns, _, _, _): "\(rows) x \(columns), row-stationary"
        case .outputStationary(let rows, let columns, _):
            "\(rows) x \(columns) systolic, outputs stay"
        case .weightStationary(let rows, let columns, _):
            "\(rows) x \(columns) systolic, weights stay"
        }
    }
}
