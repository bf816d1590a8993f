import BenchmarkSupport

/// Reports to test with.
enum Reports {
    static func machine(cpu: String = "One", isa: String = "avx2") -> Machine {
        Machine(cpu: cpu, isa: isa, cores: 2, kernel: "Linux 6")
    }

    /// A result whose ratio is `ratio`.
    static func result(_ name: String, ratio: Double, tolerance: Double = 0.25) -> TimedResult {
        TimedResult(
            name: name, isa: "avx2", reference: "scalar kernel", tolerance: tolerance, samples: 15,
            minimum: ratio * 1000, referenceMinimum: 1000, unit: "GB/s", work: 0.001)
    }

    static func report(
        _ machine: Machine = machine(), results: [TimedResult] = [], counts: [String: Int] = [:]
    ) -> BenchmarkReport {
        BenchmarkReport(
            machine: machine, toolchain: "Swift", blas: "OpenBLAS",
            limits: [MachineLimit(name: "memory read", unit: "GB/s", value: 25)],
            results: results,
            counts: counts.sorted { $0.key < $1.key }.map { ExactCount(name: $0, value: $1) })
    }
}
