import enum Networks.NearNames
import Yams

extension AcceleratorConfig {
    /// Reads a description; ``presetText(_:)`` shows what one looks like.
    ///
    /// - Parameter overriding: values to put at paths of keys such as `array.m` first, in YAML.
    /// - Throws: ``AcceleratorError`` `.invalidDescription` with all mistakes.
    public init(yaml text: String, overriding: [(path: String, value: String)] = []) throws {
        var root = try Yams.Node.description(text)
        for change in overriding {
            let value = try Yams.Node.description(change.value)
            let keys = change.path.split(separator: ".").map(String.init)
            if keys.count > 1, keys[0] == "units", let table = root["units"]?.scalar?.string {
                root["units"] = try Yams.Node.description(EnergyTable.text(named: table))
            }
            root.set(keys[...], to: value)
        }
        let findings = Section.Findings()
        let section = Section(root, path: "", findings: findings)
        let config = AcceleratorConfig(section)
        try findings.check(section.has("name") ? root["name"]?.scalar?.string : nil)
        guard let config else {
            throw AcceleratorError(.invalidDescription, ["it is not complete"])
        }
        self = config
    }

    /// Nil, or with values that nobody asked for, when findings name a problem.
    private init?(_ section: Section) {
        for key in ["name", "dataflow", "array", "clock_hz", "dram_bytes_per_cycle", "buffers"] {
            section.require(key)
        }
        section.require("units")
        let name = section.text("name")
        about = section.text("about") ?? ""
        let dataflow = Self.dataflow(section)
        let clock = section.number("clock_hz", in: 1...1e12)
        let bandwidth = section.number("dram_bytes_per_cycle", in: 1e-6...1e9)
        var buffers: [String: Buffer] = [:]
        if let list = section.section("buffers") {
            for key in ["input", "output", "weight", "index"] {
                if key != "index" { list.require(key) }
                buffers[key] = list.section(key).flatMap(Self.buffer)
            }
            list.finish()
        }
        bits = WordLengths()
        if let list = section.section("bits") {
            for (key, path) in Self.wordLengths {
                if let value = list.number(key, in: 1...64, whole: true) {
                    bits[keyPath: path] = value
                }
            }
            list.finish()
        }
        mac = section.choice("mac", of: MACStyle.self) ?? .parallel
        let digits = section.number("synchronous_digits", in: 1...64)
        if mac == .boothSerial { section.require("synchronous_digits") }
        synchronousDigits = digits ?? 1
        let skip = section.section("skip")
        skipsWeights = skip?.choice("weights", of: Skipping.self) ?? .none
        skipsActivations = skip?.choice("activations", of: Skipping.self) ?? .none
        skip?.finish()
        let storage = section.section("storage")
        weightFormat = storage?.choice("weights", of: WeightFormat.self) ?? .dense
        index = storage?.choice("index", of: IndexKind.self) ?? .row
        activationFormat = storage?.choice("activations", of: ActivationFormat.self) ?? .dense
        storage?.finish()
        rebuildReuse = section.number("rebuild_reuse", in: 1...1e6) ?? 1
        utilization = section.number("utilization", in: 0.001...1) ?? 1
        training = section.section("training").map(Self.training) ?? Training()
        calibrations = section.findings.calibrations
        let units = Self.units(section)
        section.finish()
        guard let name, let dataflow, let clock, let bandwidth, let units,
            let input = buffers["input"], let output = buffers["output"],
            let weight = buffers["weight"]
        else { return nil }
        self.name = name
        self.dataflow = dataflow
        self.clock = clock
        self.dramBytesPerCycle = bandwidth
        self.units = units
        inputBuffer = input
        outputBuffer = output
        weightBuffer = weight
        indexBuffer = buffers["index"]
        checkSkipping(section)
    }

    private static let wordLengths: [(String, WritableKeyPath<WordLengths, Double> & Sendable)] = [
        ("activation", \.activation), ("weight", \.weight), ("coefficient", \.coefficient),
        ("basis", \.basis), ("partial_sum", \.partialSum), ("run_length", \.runLength),
    ]

    /// Notes what this dataflow cannot do.
    private func checkSkipping(_ section: Section) {
        let (weights, activations): ([Skipping], [Skipping]) =
            switch dataflow {
            case .slices: ([.none, .row], [.none, .row])
            case .innerProduct: ([.none, .element], [.none])
            case .cartesianProduct: ([.none, .element], [.none, .element])
            case .rowStationary, .outputStationary, .weightStationary: ([.none], [.none])
            }
        for (key, value, allowed) in [
            ("weights", skipsWeights, weights), ("activations", skipsActivations, activations),
        ] where !allowed.contains(value) {
            let names = allowed.map(\.rawValue).joined(separator: ", ")
            section.problem(
                "skip.\(key)", "this dataflow can do \(names), not '\(value.rawValue)'")
        }
        let isSerial = if case .slices = dataflow { true } else { false }
        if mac == .boothSerial, !isSerial {
            section.problem("mac", "only the dataflow 'slices' has serial units")
        }
    }

    private static func dataflow(_ section: Section) -> Dataflow? {
        let name = section.text("dataflow")
        let array = section.section("array")
        guard let name, let array else { return nil }
        guard let known = Dataflow.keys.first(where: { $0.name == name }) else {
            let names = Dataflow.keys.map(\.name)
            section.problem(
                "dataflow",
                "there is no '\(name)'" + NearNames.hint(name, among: names)
                    + "; there are " + names.joined(separator: ", "))
            return nil
        }
        let sizes = known.dimensions.map { key in
            array.require(key)
            return Int(array.number(key, in: 1...65536, whole: true) ?? 1)
        }
        array.finish()
        return Dataflow(name, sizes)
    }

    private static func buffer(_ section: Section) -> Buffer? {
        section.require("bytes")
        let bytes = section.number("bytes", in: 1...1e12)
        let result = Buffer(
            bytes: bytes ?? 1, banks: section.number("banks", in: 1...65536, whole: true) ?? 1,
            bytesPerCycle: section.number("bytes_per_cycle", in: 1e-6...1e9),
            picojoulesPerByte: section.number("pj_per_byte", in: 0...1e6))
        section.finish()
        return bytes == nil ? nil : result
    }

    private static func training(_ section: Section) -> Training {
        var result = Training()
        let update = section.choice("update", of: Training.Update.self)
        if let update { result.update = update }
        let lengths: [(String, WritableKeyPath<Training, Double>)] = [
            ("error_bits", \.error), ("gradient_bits", \.gradient),
            ("momentum_bits", \.momentum), ("master_bits", \.master),
        ]
        for (key, path) in lengths {
            if let value = section.number(key, in: 0...64, whole: true) {
                result[keyPath: path] = value
            }
        }
        if let bar = section.number("switch_bar", in: 1...1e6, whole: true) {
            result.switchBar = bar
        }
        if let text = section.text("floats") {
            if text != "true", text != "false" {
                section.problem("floats", "expected true or false")
            }
            result.floats = text == "true"
        }
        section.finish()
        return result
    }

    private static func units(_ section: Section) -> EnergyTable? {
        guard let node = section.node("units") else { return nil }
        if node.mapping != nil {
            return section.section("units").map { EnergyTable($0) }
        }
        do {
            return try EnergyTable.named(node.scalar?.string ?? "")
        } catch {
            section.problem(
                "units", (error as? AcceleratorError)?.message ?? String(describing: error))
            return nil
        }
    }
}

extension Yams.Node {
    /// Puts `value` at a path of keys, making the mappings on the way.
    fileprivate mutating func set(_ path: ArraySlice<String>, to value: Yams.Node) {
        guard let key = path.first else {
            self = value
            return
        }
        if mapping == nil { self = Yams.Node([(Yams.Node, Yams.Node)]()) }
        var inner = self[key] ?? Yams.Node([(Yams.Node, Yams.Node)]())
        inner.set(path.dropFirst(), to: value)
        self[key] = inner
    }
}
