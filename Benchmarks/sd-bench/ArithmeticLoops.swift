internal import CMachineLimits
import SmartDeal

/// The loops that show how fast the processor computes.
enum ArithmeticLoops {
    /// Fused multiply-adds of floats; returns the floating-point operations, two each.
    static func multiplyAdd(rounds: Int) -> Double { sdb_fma(rounds) }

    /// A way of adding up products of bytes.
    enum Bytes: CaseIterable {
        case avx512, avx2, neon

        /// Those that this processor has, the fastest first.
        static var available: [Bytes] { allCases.filter { sdb_int8_runs($0.kind) != 0 } }

        /// What the kernels in use have; the fastest where they have none.
        static var ofKernels: Bytes? {
            let own: Bytes? =
                switch InstructionSet.selected {
                case .avx512: .avx512
                case .avx2: .avx2
                case .neon: .neon
                case .scalar: nil
                }
            return own.flatMap { available.contains($0) ? $0 : nil } ?? available.first
        }

        /// The instructions.
        var name: String {
            switch self {
            case .avx512: "vpdpbusd, 512 bits"
            case .avx2: "vpmaddubsw + vpmaddwd + vpaddd, 256 bits"
            case .neon: "smull + sadalp, 128 bits"
            }
        }

        private var kind: sdb_int8_kind {
            switch self {
            case .avx512: SDB_INT8_AVX512
            case .avx2: SDB_INT8_AVX2
            case .neon: SDB_INT8_NEON
            }
        }

        /// Products and sums; returns the operations, two a product.
        func multiplyAdd(rounds: Int) -> Double { sdb_int8(kind, rounds) }
    }
}
