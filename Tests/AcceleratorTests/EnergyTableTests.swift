import Accelerator
import Testing

@Suite("Energy tables")
struct EnergyTableTests {
    @Test("the default table has the ratios that the papers quote")
    func ratios() throws {
        let table = try EnergyTable.named("28nm")
        let mac = try table.energy(.mac(8))
        #expect(mac == 0.143)
        let parts = try table.energy(.multiply(8)) + table.energy(.add(8))
        #expect(abs(parts - mac) < 1e-15)
        #expect((try table.buffer(bytes: 2048).read / mac * 100).rounded() == 951)
        #expect((try table.energy(.dram) / mac).rounded() == 699)
    }

    @Test("every built-in table can be read and names a source in every row")
    func builtIn() throws {
        for name in EnergyTable.names {
            let table = try EnergyTable.named(name)
            #expect(table.name == name)
            #expect(table.rows.values.allSatisfy { !$0.source.isEmpty })
            #expect(table.buffers.allSatisfy { !$0.source.isEmpty })
        }
    }

    @Test("buffers cost what CACTI says, and between its sizes what lies between")
    func cacti() throws {
        for row in try Peers.rows("cacti_sram.csv") {
            let nanometres = (row.number("tech_m") * 1e9).rounded()
            let table = try EnergyTable.named("cacti-\(Int(nanometres))nm")
            let price = try table.buffer(bytes: row.number("KB") * 1024)
            #expect(abs(price.read - row.number("read_pJ_per_8b")) < 1e-6)
            #expect(abs(price.write - row.number("write_pJ_per_8b")) < 1e-6)
        }
        let table = try EnergyTable.named("28nm")
        #expect(try table.buffer(bytes: 1).read == 1.36)
        #expect(try table.buffer(bytes: 1e9).read == 2.45)
        let middle = try table.buffer(bytes: 2048 * 8.0.squareRoot()).read
        #expect(abs(middle - (1.36 + 2.45) / 2) < 1e-12)
    }

    @Test("a unit that the table lacks is an error that names it, never zero")
    func missing() throws {
        let table = try EnergyTable.named("eyeriss")
        #expect(throws: AcceleratorError.self) { try table.energy(.add(8)) }
        var config = try AcceleratorConfig.preset("smartdeal")
        config.units = table
        let error = #expect(throws: AcceleratorError.self) {
            try config.cost(of: Peers.workload("c10_l1"))
        }
        #expect(error?.code == .missingUnit)
        #expect(error?.path == "eyeriss")
        #expect(error?.message.contains("multiply8") == true)
    }

    @Test("all mistakes of a table are named at once, with their paths")
    func mistakes() {
        let error = #expect(throws: AcceleratorError.self) {
            try EnergyTable(
                yaml: """
                    name: mine
                    units:
                      dram: {pj: -1, source: me}
                      mac8: {pj: 0.1}
                      registr: {pj: 1, source: me}
                      add8: {pj: {value: 1}, source: me}
                      sram: [{bytes: 4, read: 1, write: 1, source: me}, {bytes: 2, read: 1, write: 1, source: me}]
                    """)
        }
        let text = error?.problems.joined(separator: "\n") ?? ""
        for part in [
            "units.dram.pj", "units.mac8.source: missing", "units.registr", "'register'",
            "units.add8.pj.calibrated", "units.sram[1].bytes",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(error?.path == "mine")
    }
}
