import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The machine that a run was made on.
package struct Machine: Codable, Sendable, Equatable {
    /// The processor's model, with family and model numbers where the system tells them.
    package let cpu: String
    /// The instruction set of the kernels in use.
    package let isa: String
    package let cores: Int
    /// The name and release of the operating system's kernel.
    package let kernel: String

    package init(cpu: String, isa: String, cores: Int, kernel: String) {
        self.cpu = cpu
        self.isa = isa
        self.cores = cores
        self.kernel = kernel
    }

    /// The machine that this process runs on.
    package init(isa: String, cores: Int) {
        self.init(cpu: Self.processor(), isa: isa, cores: cores, kernel: Self.systemKernel())
    }

    /// Whether ratios measured on both can be compared: same processor model, same kernels.
    package func isComparable(to other: Machine) -> Bool { cpu == other.cpu && isa == other.isa }

    package var description: String { "\(cpu), \(isa) kernels, \(cores) cores, \(kernel)" }

    private static func processor() -> String {
        #if os(Linux)
            let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
            return processor(cpuInformation: text) ?? "unknown"
        #else
            var size = 0
            guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0
            else { return "unknown" }
            var bytes = [UInt8](repeating: 0, count: size)
            guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0
            else { return "unknown" }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        #endif
    }

    /// The processor by the text of `/proc/cpuinfo`. Virtual machines shorten the name to `AMD
    /// EPYC` and the like, so family and model numbers are part of it; ARM has numbers only.
    package static func processor(cpuInformation text: String) -> String? {
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            if parts.count == 2, fields[parts[0]] == nil { fields[parts[0]] = parts[1] }
        }
        if let name = fields["model name"] {
            guard let family = fields["cpu family"], let model = fields["model"] else {
                return name
            }
            return "\(name) (family \(family), model \(model))"
        }
        guard let implementer = fields["CPU implementer"], let part = fields["CPU part"]
        else { return nil }
        return "ARM implementer \(implementer), part \(part)"
    }

    private static func systemKernel() -> String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(names.sysname)) \(text(names.release))"
    }
}
