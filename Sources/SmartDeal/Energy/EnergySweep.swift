import Accelerator

/// One thing that a sweep varies: `array.m=32,64`, `recipe.prune=0.3,0.5`,
/// `assume.activation-rows=0.5,1`.
public struct SweepAxis: Sendable, Equatable {
    /// What a key is one of.
    enum Target: Sendable, Equatable {
        /// The path of a key of the accelerators' YAML.
        case accelerator(String)
        /// A key of the recipe.
        case recipe(String)
        /// A key of ``AssumedDensities``.
        case assumption(String)
    }

    /// The key as the user wrote it.
    public let key: String
    public let values: [String]
    let target: Target

    /// - Throws: ``AcceleratorError`` `.invalidDescription` for what is not `key=a,b,c`.
    public init(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let values =
            parts.count == 2
            ? parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init) : []
        guard let key = parts.first.map(String.init), !key.isEmpty, !values.isEmpty,
            values.allSatisfy({ !$0.isEmpty })
        else {
            throw AcceleratorError(
                .invalidDescription, ["a sweep is key=a,b,c, found '\(text)'"])
        }
        self.key = key
        self.values = values
        if key.hasPrefix("recipe.") {
            target = .recipe(String(key.dropFirst(7)))
        } else if key.hasPrefix("assume.") {
            target = .assumption(String(key.dropFirst(7)))
        } else {
            target = .accelerator(key)
        }
    }

    var isOfAccelerator: Bool { if case .accelerator = target { true } else { false } }

    /// The key without what says whose it is.
    var path: String {
        switch target {
        case .accelerator(let key), .recipe(let key), .assumption(let key): key
        }
    }

    /// Every value of an axis with every value of the others, the last changing fastest.
    static func combinations(_ axes: [SweepAxis]) -> [[(axis: SweepAxis, value: String)]] {
        axes.reduce([[]]) { known, axis in
            known.flatMap { values in axis.values.map { values + [(axis, $0)] } }
        }
    }
}

/// What a network costs for every combination of the values of some keys. Keys as the JSON output
/// has them.
public struct EnergySweep: Sendable, Encodable {
    /// One combination on one accelerator.
    public struct Point: Sendable, Encodable {
        public let accelerator: String
        /// Values by key.
        public let settings: [String: String]
        public let total_pJ: Double
        public let cycles: Double
        public let seconds: Double
        public let dram_bytes: Double
        public let weight_bytes: Double
        /// Of the compressed weights; nil when the weights are not compressed for this.
        public let relative_error: Double?
        /// Whether no other point is better in one of energy and ``EnergySweep/against`` and not
        /// worse in the other.
        public internal(set) var pareto = false

        init(_ cost: CostReport, relativeError: Double?, settings: [(String, String)]) {
            accelerator = cost.accelerator
            self.settings = Dictionary(settings) { $1 }
            total_pJ = cost.energy
            cycles = cost.cycles
            seconds = cost.seconds
            dram_bytes = cost.bytes(at: .dram)
            weight_bytes = cost.storage.weights
            relative_error = relativeError
        }
    }

    /// What energy is weighed against.
    public enum Objective: String, Sendable, Encodable {
        case cycles
        case error = "relative_error"
    }

    public let keys: [String]
    /// The error of the weights where the recipe varies, else cycles.
    public let against: Objective
    public let points: [Point]

    init(keys: [String], points: [Point]) {
        self.keys = keys
        let errors = Set(points.map(\.relative_error))
        against = errors.count > 1 && !errors.contains(nil) ? .error : .cycles
        var points = points
        for index in Self.front(points, against) { points[index].pareto = true }
        self.points = points
    }

    /// The other objective of a point.
    func other(_ point: Point) -> Double {
        against == .error ? point.relative_error ?? 0 : point.cycles
    }

    /// The points that no other one beats.
    private static func front(_ points: [Point], _ against: Objective) -> [Int] {
        func key(_ index: Int) -> (Double, Double) {
            let point = points[index]
            return (
                against == .error ? point.relative_error ?? 0 : point.cycles, point.total_pJ
            )
        }
        var best = Double.infinity
        var last: (Double, Double)?
        return points.indices.sorted { key($0) < key($1) }.filter { index in
            let own = key(index)
            guard own.1 < best || last.map({ $0 == own }) == true else { return false }
            best = own.1
            last = own
            return true
        }
    }
}
