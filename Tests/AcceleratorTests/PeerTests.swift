import Accelerator
import Testing

@Suite("Peers")
struct PeerTests {
    @Test("cycles, reads and writes of systolic arrays are SCALE-Sim's in all 44 cases")
    func scaleSim() throws {
        let rows = try Peers.rows("scalesim_reference.csv")
        #expect(rows.count == 44)
        for row in rows {
            let (side, flow) = (row["array"] ?? "", row["df"] ?? "")
            let config = try AcceleratorConfig(
                yaml: AcceleratorConfig.presetText("systolic-\(flow)"),
                overriding: [("array.rows", side), ("array.columns", side)])
            let report = try config.cost(of: Peers.workload(row["layer"] ?? ""))
            let cost = report.layers[0]
            let place = "\(row["layer"] ?? "") \(flow) \(side)"
            #expect(cost.macs == row.number("macs"), "\(place)")
            #expect(cost.computeCycles == row.number("cycles"), "\(place)")
            #expect(cost.words(at: .sram, of: .input).reads == row.number("sram_if_rd"), "\(place)")
            #expect(
                cost.words(at: .sram, of: .weight).reads == row.number("sram_w_rd"), "\(place)")
            if flow == "ws" {
                let written =
                    cost.words(at: .sram, of: .output).writes
                    + cost.words(at: .sram, of: .partialSum).writes
                #expect(written == row.number("cf_of"), "\(place)")
            }
        }
    }

    /// The hardware that ZigZag was given: all sums of a layer stay in registers.
    private func zigZagHardware(_ flow: String, _ side: String) throws -> AcceleratorConfig {
        try AcceleratorConfig(
            yaml: """
                name: zigzag
                dataflow: \(flow == "os" ? "output" : "weight")-stationary
                array: {rows: \(side), columns: \(side), accumulators: 1024}
                clock_hz: 1e9
                dram_bytes_per_cycle: 8
                buffers:
                  input: {bytes: 131072}
                  output: {bytes: 131072}
                  weight: {bytes: 65536}
                units:
                  name: zigzag
                  units:
                    dram: {pj: 100, source: given}
                    sram: [{bytes: 65536, read: 1.6, write: 1.6, source: given}]
                    register: {pj: 0.02, source: given}
                    mac8: {pj: 0.143, source: given}
                """)
    }

    @Test("DRAM energy is ZigZag's exactly, and all energy within 5 %, in all 44 cases")
    func zigZag() throws {
        let rows = try Peers.rows("zigzag_summary.csv")
        #expect(rows.count == 44)
        var worst = 0.0
        var sums: [String: (ours: Double, theirs: Double)] = [:]
        for row in rows {
            let (side, flow) = (row["array"] ?? "", row["df"] ?? "")
            let config = try zigZagHardware(flow, side)
            let cost = try config.cost(of: Peers.workload(row["layer"] ?? "")).layers[0]
            func dram(_ data: DataKind) -> Double {
                cost.accesses.filter { $0.level == .dram && $0.data == data }
                    .reduce(0) { $0 + $1.energy }
            }
            let place = "\(row["layer"] ?? "") \(flow) \(side)"
            #expect(dram(.weight) == row.number("W_dram"), "\(place)")
            #expect(dram(.output) == row.number("O_dram"), "\(place)")
            #expect(dram(.input) == row.number("I_dram"), "\(place)")
            let total = row.number("E_total")
            let difference = abs(cost.energy / total - 1)
            #expect(difference < 0.05, "\(place): \(cost.energy) for \(total)")
            worst = max(worst, difference)
            let sum = sums[flow + side] ?? (0, 0)
            sums[flow + side] = (sum.ours + cost.energy, sum.theirs + total)
        }
        print("ZigZag: largest difference of a layer \(worst)")
        for (array, sum) in sums.sorted(by: { $0.key < $1.key }) {
            print("ZigZag \(array): \(sum.ours / 1e6) uJ for \(sum.theirs / 1e6) uJ")
            #expect(abs(sum.ours / sum.theirs - 1) < 0.05)
        }
    }
}
