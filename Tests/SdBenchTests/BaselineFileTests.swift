import BenchmarkSupport
import Foundation
import Testing

@Suite("The files of results")
struct BaselineFileTests {
    let report = Reports.report(
        results: [Reports.result("rebuild f32, conv 3x3 64->64", ratio: 0.4)], counts: ["bytes": 7])

    @Test("a report comes back from JSON as it was, alone and among machines")
    func roundTrip() throws {
        let alone = try BaselineFile(json: report.readableJSON())
        #expect(alone == BaselineFile(machines: [report]))
        let file = BaselineFile(machines: [
            report, Reports.report(Reports.machine(isa: "scalar")),
        ])
        #expect(try BaselineFile(json: file.readableJSON()) == file)
    }

    @Test("the keys are those that the file is documented to have")
    func keys() throws {
        let json = String(decoding: try report.readableJSON(), as: UTF8.self)
        for key in [
            "schema", "machine", "cpu", "isa", "cores", "kernel", "toolchain", "blas", "results",
            "name", "reference", "ratio", "tolerance", "samples", "min_ns", "reference_min_ns",
            "unit", "value", "counts",
        ] { #expect(json.contains("\"\(key)\" :"), "\(key)") }
    }

    @Test("a file cut off anywhere is an error and no trap")
    func truncation() throws {
        let json = try report.readableJSON()
        for length in 0..<(json.count - 2) {
            #expect(throws: BenchmarkFileError.self) { try BaselineFile(json: json.prefix(length)) }
        }
    }

    @Test("another schema, and a missing field, are named")
    func refusals() throws {
        #expect(throws: BenchmarkFileError("schema 2 is not 1")) {
            try BaselineFile(json: Data(#"{"schema": 2, "machines": []}"#.utf8))
        }
        let error = #expect(throws: BenchmarkFileError.self) {
            try BaselineFile(json: Data(#"{"schema": 1, "machines": [{"schema": 1}]}"#.utf8))
        }
        #expect(error?.message.contains("machine") == true)
    }

    @Test("recording replaces the same machine and adds another")
    func recording() {
        var file = BaselineFile()
        file.record(report, isPartial: false)
        file.record(Reports.report(Reports.machine(cpu: "Two")), isPartial: false)
        #expect(file.machines.map(\.machine.cpu) == ["One", "Two"])
        file.record(Reports.report(counts: ["bytes": 8]), isPartial: false)
        #expect(file.machines.map(\.machine.cpu) == ["One", "Two"])
        #expect(file.machines[0].results.isEmpty)
    }

    @Test("recording a filtered run leaves the rest where it was")
    func partialRecording() {
        let names = ["a", "b", "c"]
        var file = BaselineFile(machines: [
            Reports.report(results: names.map { Reports.result($0, ratio: 0.5) })
        ])
        let newer = ["d", "b"].map { Reports.result($0, ratio: 0.25) }
        file.record(Reports.report(results: newer), isPartial: true)
        #expect(file.machines[0].results.map(\.name) == ["a", "b", "c", "d"])
        #expect(file.machines[0].results.map(\.ratio) == [0.5, 0.25, 0.5, 0.25])
    }
}
