import ArgumentParser
import Foundation
import SmartDeal

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Versions, processor, instruction set of the kernels, libraries and threads.")

    @OptionGroup var common: CommonOptions

    private struct Info: Encodable {
        var version: String
        var format_version: String
        var cpu: String
        var instruction_set: String
        var instruction_sets: [String: Bool]
        var kernels: [String: String]
        var blas: String
        var blas_threads: Int
        var inference_library: String
        var threads: Int
        var warning: String?
    }

    func run() throws {
        try common.run { _ in
            let selected = InstructionSet.selected
            let request = ProcessInfo.processInfo.environment["SMARTDEAL_ISA"] ?? ""
            let info = Info(
                version: SmartDealVersion.text, format_version: PackedTensor.formatVersion,
                cpu: ProcessorName.text, instruction_set: selected.rawValue,
                instruction_sets: Dictionary(
                    InstructionSet.allCases.map { ($0.rawValue, $0.isSupported) },
                    uniquingKeysWith: { first, _ in first }),
                kernels: Dictionary(
                    ShiftKernels.names.map { ($0, selected.rawValue) },
                    uniquingKeysWith: { first, _ in first }),
                blas: BLASLibrary.description, blas_threads: BLASLibrary.threads,
                inference_library: InferenceLibrary.description,
                threads: common.threadCount,
                warning: InstructionSet.requestWasRefused
                    ? "SMARTDEAL_ISA=\(request) is unknown or cannot run here" : nil)
            var table = TextTable(["what", "value"], leftAligned: [0, 1])
            table.add(["smartdeal", "\(info.version), file format \(info.format_version)"])
            table.add(["processor", info.cpu])
            let supported = InstructionSet.allCases.filter(\.isSupported).map(\.rawValue)
            table.add(["instruction sets", supported.joined(separator: ", ")])
            for name in ShiftKernels.names { table.add(["kernel \(name)", selected.rawValue]) }
            table.add(["BLAS", info.blas])
            table.add(["BLAS threads", String(info.blas_threads)])
            table.add(["inference", info.inference_library])
            table.add(["threads", String(info.threads)])
            if let warning = info.warning { table.add(["warning", warning]) }
            try common.print(info, text: table.text)
        }
    }
}

/// The processor as the system names it.
enum ProcessorName {
    static var text: String {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        for line in lines.split(separator: "\n")
        where line.hasPrefix("model name") || line.hasPrefix("Model") {
            return line.split(separator: ":").last.map {
                $0.trimmingCharacters(in: .whitespaces)
            } ?? "unknown"
        }
        return "unknown"
    }
}
