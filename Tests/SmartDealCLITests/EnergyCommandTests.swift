import Foundation
import SmartDeal
import Testing

@Suite("The tool's command energy")
struct EnergyCommandTests {
    private let folder: ToolFolder

    init() throws {
        folder = try ToolFolder()
    }

    private func run(_ arguments: String...) throws -> Tool.Result {
        try Tool.start(["energy"] + arguments, in: folder.path).wait()
    }

    private func energy(_ arguments: String...) throws -> [String: Any] {
        let result = try Tool.start(["energy"] + arguments + ["--json"], in: folder.path).wait()
        #expect(result.status == 0 && result.errors == "", "\(result.errors)")
        return try result.json()
    }

    private func accelerators(_ report: [String: Any]) throws -> [String: [String: Any]] {
        try #require(report["accelerators"] as? [String: [String: Any]])
    }

    @Test("JSON has the keys that scripts rely on, and totals that are sums")
    func keys() throws {
        let report = try energy("lenet5", "--batch", "4")
        #expect(
            Set(report.keys).isSuperset(of: [
                "network", "phase", "batch", "assumptions", "not_modelled", "accelerators",
            ]))
        #expect(report["network"] as? String == "lenet5" && report["batch"] as? Int == 4)
        #expect(report["phase"] as? String == "inference")
        let all = try accelerators(report)
        #expect(Set(all.keys) == Set(AcceleratorConfig.presetNames))
        for accelerator in all.values {
            let total = try #require(accelerator["total_pJ"] as? Double)
            let cycles = try #require(accelerator["cycles"] as? Double)
            #expect(accelerator["array"] is String)
            let layers = try #require(accelerator["layers"] as? [[String: Any]])
            #expect(layers.count == 5)
            var sum = 0.0
            var cycleSum = 0.0
            for layer in layers {
                #expect(
                    Set(layer.keys).isSuperset(of: [
                        "name", "operation", "macs", "energy_pJ", "by_data", "cycles",
                        "compute_cycles", "bound",
                    ]))
                let places = try #require(layer["energy_pJ"] as? [String: Double])
                #expect(
                    Set(places.keys).isSuperset(of: ["dram", "sram", "rf", "compute", "rebuild"]))
                let kinds = try #require(layer["by_data"] as? [String: Double])
                #expect(
                    Set(kinds.keys).isSuperset(of: [
                        "input", "output", "coefficient", "basis", "index", "weight",
                    ]))
                let moved =
                    places["compute", default: 0] + places["rebuild", default: 0]
                    + kinds.values.reduce(0, +)
                let energy = places.values.reduce(0, +)
                #expect(abs(moved / energy - 1) < 1e-9)
                sum += energy
                cycleSum += try #require(layer["cycles"] as? Double)
            }
            #expect(abs(sum / total - 1) < 1e-9)
            #expect(abs(cycleSum / cycles - 1) < 1e-9)
        }
    }

    @Test("training and the policy are told, and a step costs more than inference")
    func training() throws {
        let inference = try accelerators(energy("lenet5", "--accelerator", "smartdeal"))
        let report = try energy(
            "lenet5", "--accelerator", "smartdeal", "--phase", "training", "--policy",
            "own_pruning")
        #expect(report["phase"] as? String == "training")
        #expect(report["policy"] as? String == "own_pruning")
        let training = try accelerators(report)
        let step = try #require(training["smartdeal"]?["total_pJ"] as? Double)
        #expect(step > (inference["smartdeal"]?["total_pJ"] as? Double ?? .infinity))
    }

    @Test("a printed accelerator and energy table, given as files, cost the same")
    func printed() throws {
        let preset = try run("--print", "scnn")
        #expect(preset.status == 0 && preset.output.hasPrefix("name: scnn"))
        try folder.write(
            preset.output.replacingOccurrences(of: "name: scnn", with: "name: mine"),
            to: "mine.yaml")
        let table = try run("--print-units", "28nm")
        #expect(table.output.contains("source:"))
        try folder.write(table.output, to: "units.yaml")
        let all = try accelerators(
            energy(
                "lenet5", "--accelerator", "mine.yaml", "--accelerator", "scnn", "--units",
                "units.yaml"))
        let mine = try #require(all["mine"]?["total_pJ"] as? Double)
        #expect(mine == all["scnn"]?["total_pJ"] as? Double)
        #expect(
            mine
                == (try accelerators(energy("lenet5", "--accelerator", "scnn")))["scnn"]?[
                    "total_pJ"] as? Double)
    }

    @Test("dimensions that the model leaves open are given by --shape")
    func shapes() throws {
        let model = fixtures + "/onnx/encoder_torchscript_17.onnx"
        let report = try energy(model, "--shape", "2x6", "--accelerator", "systolic-os")
        let layers = try #require(report["workload"] as? [[String: Any]])
        #expect(layers.contains { $0["operation"] as? String == "matmul" })
        // The names of an accelerator and of an energy table may be the same.
        #expect(try run("--print", "eyeriss").output.contains("row-stationary"))
        #expect(try run("--print-units", "eyeriss").output.contains("mac16"))
    }

    @Test("all accelerators and energy tables are listed")
    func list() throws {
        let result = try run("--list")
        #expect(result.status == 0)
        for name in AcceleratorConfig.presetNames + EnergyTable.names {
            #expect(result.output.contains("  \(name)\n"), "\(name)")
        }
        #expect(try run("--list", "--json").json()["units"] is [Any])
    }

    @Test("a trained model's activations and symbols are measured, and a page is written")
    func measured() throws {
        let model = fixtures + "/fashion_resnet20/fashion_resnet20.onnx"
        let report = try energy(
            model, "--accelerator", "smartdeal", "--accelerator", "diannao", "--mode", "fast",
            "--prune", "0.5", "--dataset", fixtures + "/fashion_mnist_2000", "--limit", "20",
            "--report", "page.html")
        let layers = try #require(report["workload"] as? [[String: Any]])
        #expect(layers.count == 22)
        for layer in layers {
            for key in ["weight_rows", "activation_rows", "booth_digits"] {
                let number = try #require(layer[key] as? [String: Any])
                #expect(number["source"] as? String == "measured")
            }
        }
        let error = try #require(report["relative_error"] as? Double)
        #expect(error > 0.1 && error < 0.9)
        let assumptions = try #require(report["assumptions"] as? [String])
        #expect(assumptions.contains { $0.contains("20 images") })
        let page = String(decoding: try folder.read("page.html"), as: UTF8.self)
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("What is not modelled"))
    }

    @Test("a sweep is in JSON, text and page")
    func sweep() throws {
        let report = try energy(
            "lenet5", "--sweep", "array.m=16,64", "--sweep", "buffers.weight.bytes=4096,262144")
        let sweep = try #require(report["sweep"] as? [String: Any])
        let points = try #require(sweep["points"] as? [[String: Any]])
        #expect(points.count == 4 && sweep["against"] as? String == "cycles")
        #expect(points.contains { $0["pareto"] as? Bool == true })
        #expect(
            Set(points[0].keys).isSuperset(of: [
                "accelerator", "settings", "total_pJ", "cycles", "pareto",
            ]))
        let text = try run("lenet5", "--sweep", "array.m=16,64", "--report", "sweep.html")
        #expect(text.status == 0 && text.output.contains("array.m"))
        let page = String(decoding: try folder.read("sweep.html"), as: UTF8.self)
        #expect(page.contains("Pareto front"))
    }

    @Test("the text has a row for each accelerator, and one for each layer when asked for")
    func text() throws {
        let plain = try run("lenet5", "--accelerator", "smartdeal", "--accelerator", "scnn")
        #expect(plain.status == 0 && plain.errors == "")
        let lines = plain.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("smartdeal ") && $0.contains("J") })
        #expect(lines.contains { $0.hasPrefix("scnn ") })
        #expect(plain.output.contains("from shapes"))
        #expect(!lines.contains { $0.hasPrefix("conv1 ") })
        let layers = try run("lenet5", "--accelerator", "scnn", "--layers").output
        #expect(layers.split(separator: "\n").contains { $0.hasPrefix("conv1 ") })
    }

    @Test("what is wrong is named, with status 1")
    func failures() throws {
        try folder.expectFailure(
            ["energy", "lenet5", "--accelerator", "smartdea"],
            saying: ["unknown-preset", "did you mean 'smartdeal'"])
        try folder.expectFailure(
            ["energy", "lenet5", "--accelerator", "missing.yaml"],
            saying: ["'missing.yaml'", "cannot be read"])
        try folder.expectFailure(
            ["energy", "--print", "dianao"], saying: ["unknown-preset", "diannao"])
        try folder.expectFailure(
            ["energy", "--print-units", "eyerss"], saying: ["unknown-preset", "'eyeriss'"])
        try folder.expectFailure(
            ["energy", "lenet6"], saying: ["unknown-network", "did you mean 'lenet5'"])
        try folder.expectFailure(
            ["energy", "lenet5", "--sweep", "array.q=1"], saying: ["array.q"])
        try folder.write("name: mine\nunits:\n  dram: {pj: 1, source: me}\n", to: "poor.yaml")
        try folder.expectFailure(
            ["energy", "lenet5", "--units", "poor.yaml"], saying: ["missing-unit"])
        try folder.write("name: mine\ndataflow: slcies\nclock_hz: -1\n", to: "bad.yaml")
        try folder.expectFailure(
            ["energy", "lenet5", "--accelerator", "bad.yaml"],
            saying: ["'bad.yaml'", "array", "clock_hz", "buffers", "units"])
        try folder.expectFailure(
            ["energy", "lenet5", "--report", "no/page.html"], saying: ["no/page.html"])
        try folder.expectFailure(
            ["energy", "lenet5@3x32x32", "--dataset", fixtures + "/fashion_mnist_2000"],
            saying: ["dataset-mismatch"])
    }

    @Test(
        "wrong usage is status 64",
        arguments: [
            ([], "<model>"), (["lenet5", "--list"], "alone"),
            (["--print", "scnn", "--print-units", "28nm"], "alone"),
            (["lenet5", "--shape", "1x1x28x28"], "@CxHxW"),
            (["lenet5", "--batch", "0"], "--batch"), (["lenet5", "--limit", "3"], "--dataset"),
            (["lenet5", "--assume", "activations"], "key=x"),
            (["lenet5", "--assume", "activatoins=0.5"], "did you mean 'activations'"),
            (["lenet5", "--assume", "activations=2"], "0 to 1"),
            (["lenet5", "--sweep", "array.m"], "key=a,b,c"),
            (["lenet5", "--phase", "sleeping"], "--phase"),
        ])
    func usage(arguments: [String], words: String) throws {
        let result = try Tool.start(["energy"] + arguments, in: folder.path).wait()
        #expect(result.status == 64, "\(result)")
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(result.output == "")
    }
}
