internal import CShiftKernels

/// An instruction set that the kernels have a variant for.
public enum InstructionSet: String, CaseIterable, Sendable {
    /// Plain C: the definition that every other variant returns the bits of.
    case scalar
    /// x86-64 with AVX2.
    case avx2
    /// x86-64 with AVX-512 F, BW, VL, DQ, VNNI and VBMI.
    case avx512
    /// ARMv8 with NEON.
    case neon

    /// Whether this build and this processor have it.
    public var isSupported: Bool { sdk_kernels(identifier) != nil }

    /// The instruction set in use: the best supported one, or the one that the environment
    /// variable `SMARTDEAL_ISA` names.
    public static var selected: InstructionSet {
        allCases.first { $0.identifier == sdk_selected_isa() } ?? .scalar
    }

    /// Whether `SMARTDEAL_ISA` names something that is unknown or cannot run here.
    public static var requestWasRefused: Bool { sdk_isa_request_refused() != 0 }

    var identifier: sdk_isa {
        switch self {
        case .scalar: SDK_ISA_SCALAR
        case .avx2: SDK_ISA_AVX2
        case .avx512: SDK_ISA_AVX512
        case .neon: SDK_ISA_NEON
        }
    }
}
