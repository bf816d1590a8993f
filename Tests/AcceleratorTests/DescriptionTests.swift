import Accelerator
import Testing

@Suite("Accelerator descriptions")
struct DescriptionTests {
    @Test("every preset is a description that users can read, and says what was calibrated")
    func presets() throws {
        for name in AcceleratorConfig.presetNames {
            let config = try AcceleratorConfig.preset(name)
            #expect(config.name == name)
            #expect(config.calibrations.contains { $0.path == "dram_bytes_per_cycle" })
            #expect(config.calibrations.allSatisfy { !$0.reason.isEmpty })
            let report = try config.cost(of: Peers.workload("c10_l1"))
            #expect(report.energy > 0 && report.cycles > 0)
            #expect(report.calibrations.count > config.calibrations.count, "those of its table")
        }
    }

    @Test("all mistakes are named at once, with the paths of their keys and near names")
    func mistakes() throws {
        let error = #expect(throws: AcceleratorError.self) {
            try AcceleratorConfig(
                yaml: """
                    name: wrong
                    dataflow: slice
                    array: {m: 0, c: 16}
                    clok_hz: 1e9
                    dram_bytes_per_cycle: fast
                    buffers: {input: {bytes: 10, bnks: 2}, output: {}}
                    bits: {activation: 8.5}
                    mac: booth-serial
                    storage: {weights: bitmaps}
                    units: 29nm
                    """)
        }
        #expect(error?.path == "wrong")
        let text = error?.problems.joined(separator: "\n") ?? ""
        for part in [
            "dataflow: there is no 'slice'; did you mean 'slices'", "clok_hz: there is no such key",
            "'clock_hz'", "clock_hz: missing", "dram_bytes_per_cycle: expected a number",
            "buffers.input.bnks", "buffers.output.bytes: missing", "buffers.weight: missing",
            "bits.activation", "synchronous_digits: missing", "storage.weights", "'bitmap'",
            "units: there is no energy table '29nm'; did you mean '28nm'",
        ] {
            #expect(text.contains(part), "'\(part)' in:\n\(text)")
        }
    }

    @Test("what a dataflow cannot skip is an error")
    func skipping() throws {
        let error = #expect(throws: AcceleratorError.self) {
            try AcceleratorConfig(
                yaml: AcceleratorConfig.presetText("diannao"),
                overriding: [("skip.activations", "row"), ("mac", "booth-serial")])
        }
        #expect(error?.problems.count == 3)
    }

    @Test("any key can be overridden by its path, an unknown one is an error")
    func overriding() throws {
        let text = try AcceleratorConfig.presetText("smartdeal")
        let config = try AcceleratorConfig(
            yaml: text,
            overriding: [
                ("array.m", "32"), ("dram_bytes_per_cycle", "16"), ("storage.index", "group"),
                ("units.units.dram.pj", "50"), ("buffers.input.bytes_per_cycle", "128"),
            ])
        #expect(config.dataflow == .slices(m: 32, c: 16, f: 8))
        #expect(config.dramBytesPerCycle == 16)
        #expect(config.index == .group)
        #expect(try config.units.energy(.dram) == 50)
        #expect(config.inputBuffer.bytesPerCycle == 128)
        let error = #expect(throws: AcceleratorError.self) {
            try AcceleratorConfig(yaml: text, overriding: [("aray.m", "32")])
        }
        #expect(error?.message.contains("did you mean 'array'") == true)
    }

    @Test("an unknown preset is an error with near names")
    func unknown() {
        let error = #expect(throws: AcceleratorError.self) {
            try AcceleratorConfig.preset("smart-deal")
        }
        #expect(error?.code == .unknownPreset)
        #expect(error?.message.contains("'smartdeal'") == true)
    }

    @Test("text that is no description is an error, whatever it is")
    func hostile() throws {
        for text in ["", "- 1", "{", "name: [", "&a [*a]", "42", "a: &x {b: *x}", "? : ?"] {
            #expect(throws: AcceleratorError.self) { try AcceleratorConfig(yaml: text) }
        }
        let preset = try AcceleratorConfig.presetText("smartdeal")
        for end in stride(from: 0, to: preset.count, by: 7) {
            _ = try? AcceleratorConfig(yaml: String(preset.prefix(end)))
        }
    }
}
