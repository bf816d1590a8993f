import Foundation

/// What one run found on one machine: the file that `--json` writes.
package struct BenchmarkReport: Codable, Sendable, Equatable {
    /// The version of this layout.
    package static let currentSchema = 1

    package let schema: Int
    package let machine: Machine
    /// The compiler, as it names itself.
    package let toolchain: String
    /// The BLAS library and its threads.
    package let blas: String
    /// What the machine can do at most, measured in the same run.
    package var limits: [MachineLimit]
    package var results: [TimedResult]
    package var counts: [ExactCount]

    package init(
        machine: Machine, toolchain: String, blas: String, limits: [MachineLimit] = [],
        results: [TimedResult] = [], counts: [ExactCount] = []
    ) {
        schema = Self.currentSchema
        self.machine = machine
        self.toolchain = toolchain
        self.blas = blas
        self.limits = limits
        self.results = results
        self.counts = counts
    }

    /// The report with the items of `newer` in place of its own of the same name; the others stay.
    package func updated(with newer: BenchmarkReport) -> BenchmarkReport {
        func merged<Item, Name: Hashable>(
            _ old: [Item], _ new: [Item], by name: KeyPath<Item, Name>
        ) -> [Item] {
            let known = Set(old.map { $0[keyPath: name] })
            let fresh = Dictionary(new.map { ($0[keyPath: name], $0) }) { first, _ in first }
            return old.map { fresh[$0[keyPath: name]] ?? $0 }
                + new.filter { !known.contains($0[keyPath: name]) }
        }
        var result = newer
        result.limits = merged(limits, newer.limits, by: \.name)
        result.results = merged(results, newer.results, by: \.key)
        result.counts = merged(counts, newer.counts, by: \.name)
        return result
    }
}

/// One timing beside that of a reference, both taken in turns in one process.
package struct TimedResult: Codable, Sendable, Equatable {
    /// How much worse a ratio may be than the recorded one, unless a benchmark says otherwise:
    /// shared machines are noisy.
    package static let defaultTolerance = 0.35

    /// A sentence with all parameters.
    package let name: String
    /// The instruction set of the kernels.
    package let isa: String
    /// What it is compared with.
    package let reference: String
    /// Time divided by the time of the reference: less is better.
    package let ratio: Double
    package let tolerance: Double
    /// How many timings of each; the least counts.
    package let samples: Int
    /// The least time of one run, in nanoseconds.
    package let minimum: Double
    /// The least time of one run of the reference, in nanoseconds.
    package let referenceMinimum: Double
    /// What `value` counts, such as `GB/s`.
    package let unit: String
    /// Throughput.
    package let value: Double

    enum CodingKeys: String, CodingKey {
        case name, isa, reference, ratio, tolerance, samples, unit, value
        case minimum = "min_ns"
        case referenceMinimum = "reference_min_ns"
    }

    /// - Parameter work: what one run does, in `unit` times seconds.
    package init(
        name: String, isa: String, reference: String,
        tolerance: Double = TimedResult.defaultTolerance, samples: Int, minimum: Double,
        referenceMinimum: Double, unit: String, work: Double
    ) {
        self.name = name
        self.isa = isa
        self.reference = reference
        self.tolerance = tolerance
        self.samples = samples
        self.minimum = minimum.rounded(digits: 5)
        self.referenceMinimum = referenceMinimum.rounded(digits: 5)
        self.unit = unit
        ratio = (minimum / referenceMinimum).rounded(digits: 4)
        value = (work / minimum * 1e9).rounded(digits: 4)
    }

    /// What tells results of one machine apart.
    package struct Key: Hashable, Sendable {
        package let name: String
        package let reference: String
    }

    package var key: Key { Key(name: name, reference: reference) }
    /// The throughput of the reference, on the same work.
    package var referenceValue: Double { value * ratio }
}

/// A number that is the same in every run and on every machine.
package struct ExactCount: Codable, Sendable, Equatable {
    package let name: String
    package let value: Int

    package init(name: String, value: Int) {
        self.name = name
        self.value = value
    }
}

/// The most that the machine does of something.
package struct MachineLimit: Codable, Sendable, Equatable {
    package let name: String
    package let unit: String
    package let value: Double

    package init(name: String, unit: String, value: Double) {
        self.name = name
        self.unit = unit
        self.value = value.rounded(digits: 4)
    }
}

extension Double {
    /// The number with so many significant decimal digits; what is not finite stays as it is.
    func rounded(digits: Int) -> Double {
        guard isFinite, self != 0 else { return self }
        return Double(String(format: "%.\(digits - 1)e", self)) ?? self
    }
}
