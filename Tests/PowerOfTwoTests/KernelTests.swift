import Foundation
import PowerOfTwo
import Testing

@Suite("Kernels")
struct KernelTests {
    @Test(
        "every instruction set returns what the scalar kernel does and writes nothing else",
        arguments: ShiftKernels.names, InstructionSet.allCases)
    func variants(name: String, isa: InstructionSet) throws {
        guard let kernels = ShiftKernels(isa) else {
            #expect(!isa.isSupported)
            try Test.cancel("\(isa.rawValue) cannot run here")
        }
        let check = try #require(KernelCases.checks[name], "no check for the kernel \(name)")
        var cases = KernelCases(
            kernels: kernels,
            random: TestRandom(UInt64(ShiftKernels.names.firstIndex(of: name) ?? 0) + 7))
        check(&cases)
    }

    @Test("Swift, the C list and these tests name the same kernels")
    func names() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let list = try String(
            contentsOf: root.appendingPathComponent(
                "CSupport/CShiftKernels/include/kernel_list.inc"), encoding: .utf8)
        let inC = list.split(separator: "\n").compactMap { line in
            line.hasPrefix("SDK_KERNEL(")
                ? String(line.dropFirst("SDK_KERNEL(".count).prefix { $0 != "," }) : nil
        }
        #expect(!inC.isEmpty)
        #expect(inC.count == Set(inC).count)
        #expect(Set(inC) == Set(ShiftKernels.names))
        #expect(ShiftKernels.names.count == Set(ShiftKernels.names).count)
        #expect(Set(KernelCases.checks.keys) == Set(ShiftKernels.names))
    }

    @Test("the instruction set in use is supported, and the best one unless another is asked for")
    func selection() throws {
        #expect(InstructionSet.scalar.isSupported)
        #expect(InstructionSet.selected.isSupported)
        #expect(ShiftKernels.selected.isa == InstructionSet.selected)
        let request = ProcessInfo.processInfo.environment["SMARTDEAL_ISA"] ?? ""
        let named = InstructionSet(rawValue: request)
        #expect(
            InstructionSet.requestWasRefused == (!request.isEmpty && named?.isSupported != true))
        let best = try #require(InstructionSet.allCases.last { $0.isSupported })
        #expect(InstructionSet.selected == (named?.isSupported == true ? named : best))
    }
}
