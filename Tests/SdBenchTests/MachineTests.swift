import BenchmarkSupport
import Testing

@Suite("The machine")
struct MachineTests {
    @Test("the processor is its name with family and model, or its numbers")
    func processor() {
        let x86 = """
            processor\t: 0
            cpu family\t: 25
            model\t\t: 17
            model name\t: AMD EPYC

            processor\t: 1
            model name\t: Another
            """
        #expect(Machine.processor(cpuInformation: x86) == "AMD EPYC (family 25, model 17)")
        let arm = "CPU implementer\t: 0x41\nCPU part\t: 0xd40\n"
        #expect(Machine.processor(cpuInformation: arm) == "ARM implementer 0x41, part 0xd40")
        #expect(Machine.processor(cpuInformation: "") == nil)
    }
}
