import Decomposition

extension TrainingSettings {
    /// The keys of all settings; those of a group in YAML are written `group.key`.
    public static var keys: [String] { table.map(\.name) }

    /// All keys with their values as text.
    public var entries: [(key: String, value: String)] {
        Self.table.map { ($0.name, $0.read(self)) }
    }

    /// Sets the setting of a key.
    ///
    /// - Throws: ``DecompositionError`` `.invalidOption`, a sentence, for an unknown key or a value of
    ///   another kind.
    public mutating func set(_ key: String, to value: RecipeValue) throws {
        guard let entry = Self.table.first(where: { $0.name == key }) else {
            throw SettingKey.invalid("there is no setting '\(key)'")
        }
        try entry.write(&self, value)
    }

    /// All rules that the settings break, as sentences.
    public var problems: [String] {
        var found: [String] = []
        func require(_ condition: Bool, _ message: String) {
            if !condition { found.append(message) }
        }
        func atLeast(_ least: Int, _ value: Int?, _ key: String) {
            if let value {
                require(value >= least, "\(key) must be at least \(least), got \(value)")
            }
        }
        func share(_ value: Double, _ key: String) {
            require((0..<1).contains(value), "\(key) must be from 0 to below 1, got \(value)")
        }
        atLeast(1, epochs, "epochs")
        atLeast(1, pretrainEpochs, "pretrain-epochs")
        require((1...65536).contains(batch), "batch must be from 1 to 65536, got \(batch)")
        atLeast(1, limit, "limit")
        atLeast(1, testLimit, "test-limit")
        atLeast(1, stepEvery, "step-every")
        atLeast(0, crop, "augmentation.crop")
        atLeast(0, averageStart, "swa.start")
        atLeast(1, averageEvery, "swa.every")
        atLeast(0, warmUpEpochs, "warm-up-epochs")
        require(
            highestRate > 0 && highestRate.isFinite,
            "learning-rate must be above 0, got \(highestRate)")
        require(averageRate > 0, "swa.learning-rate must be above 0, got \(averageRate)")
        require(stepFactor > 0, "step-factor must be above 0, got \(stepFactor)")
        require(epsilon > 0, "epsilon must be above 0, got \(epsilon)")
        require(weightDecay >= 0, "weight-decay must be at least 0, got \(weightDecay)")
        share(momentum, "momentum")
        share(beta1, "beta1")
        share(beta2, "beta2")
        share(labelSmoothing, "label-smoothing")
        share(coefficientMomentum, "coefficients.momentum")
        require(
            coefficientRate > 0 && coefficientRate.isFinite,
            "coefficients.rate must be above 0, got \(coefficientRate)")
        require(
            (1...127).contains(switchBar),
            "coefficients.switch-bar must be from 1 to 127, got \(switchBar)")
        for (value, key) in [
            (coefficientThreshold, "threshold"), (coefficientDecay, "weight-decay"),
            (smallestCoefficient, "smallest"),
        ] {
            require(
                value >= 0 && value.isFinite, "coefficients.\(key) must be at least 0, got \(value)"
            )
        }
        require(
            !nesterov || momentum > 0 || optimizer != .sgd,
            "nesterov needs a momentum above 0")
        require(
            averageStart.map { $0 < epochs } ?? true,
            "swa.start must be below the \(epochs) epochs, got \(averageStart ?? 0)")
        for (bits, key) in [(quantizationBits, "bits"), (gradientBits, "gradient-bits")] {
            if let bits {
                require(
                    (2...16).contains(bits), "quantization.\(key) must be from 2 to 16, got \(bits)"
                )
            }
        }
        require(
            gradientBits == nil || quantizationBits != nil,
            "quantization.gradient-bits needs quantization.bits")
        require(
            !retrains || form == .dense,
            "retrain decomposes dense weights after each epoch: it needs form: dense")
        return found
    }

    static var table: [SettingKey] {
        [
            .name("network", \.network), .name("dataset", \.dataset),
            .name("source", \.source), .choice("form", \.form), .choice("task", \.task),
            .integer("epochs", \.epochs), .integer("pretrain-epochs", \.pretrainEpochs),
            .integer("batch", \.batch), .number("learning-rate", \.learningRate),
            .name("recipe", \.recipe), .seed("seed", \.seed), .integer("limit", \.limit),
            .integer("test-limit", \.testLimit), .choice("optimizer", \.optimizer),
            .number("momentum", \.momentum), .flag("nesterov", \.nesterov),
            .number("weight-decay", \.weightDecay), .number("beta1", \.beta1),
            .number("beta2", \.beta2), .number("epsilon", \.epsilon),
            .choice("schedule", \.schedule), .integer("step-every", \.stepEvery),
            .number("step-factor", \.stepFactor), .choice("loss", \.loss),
            .number("label-smoothing", \.labelSmoothing),
            .integer("augmentation.crop", \.crop), .flag("augmentation.flip", \.flip),
            .flag("shuffle", \.shuffle), .integer("swa.start", \.averageStart),
            .integer("swa.every", \.averageEvery), .number("swa.learning-rate", \.averageRate),
            .choice("coefficients.mode", \.coefficientMode),
            .integer("coefficients.switch-bar", \.switchBar),
            .number("coefficients.threshold", \.coefficientThreshold),
            .number("coefficients.momentum", \.coefficientMomentum),
            .number("coefficients.rate", \.coefficientRate),
            .number("coefficients.weight-decay", \.coefficientDecay),
            .number("coefficients.smallest", \.smallestCoefficient),
            .flag("coefficients.freeze-zeros", \.freezesZeros),
            .integer("quantization.bits", \.quantizationBits),
            .integer("quantization.gradient-bits", \.gradientBits),
            .integer("warm-up-epochs", \.warmUpEpochs),
            .flag("reestimate-batch-norm", \.reestimatesBatchNorm), .flag("retrain", \.retrains),
            .flag("log-steps", \.logsSteps),
        ]
    }
}

/// A setting by its key: how it is read as text and written from a value.
struct SettingKey {
    typealias Settings = TrainingSettings

    let name: String
    let read: (Settings) -> String
    let write: (inout Settings, RecipeValue) throws -> Void

    static func invalid(_ message: String) -> DecompositionError {
        DecompositionError(.invalidOption, message)
    }

    /// What stands for a setting that is left to the run.
    private static let automatic = "auto"

    static func number(_ name: String, _ path: WritableKeyPath<Settings, Double>) -> Self {
        Self(name: name, read: { "\($0[keyPath: path])" }) {
            $0[keyPath: path] = try number($1, name)
        }
    }

    static func number(_ name: String, _ path: WritableKeyPath<Settings, Double?>) -> Self {
        Self(name: name, read: { $0[keyPath: path].map { "\($0)" } ?? automatic }) {
            $0[keyPath: path] = $1 == .text(automatic) ? nil : try number($1, name)
        }
    }

    static func integer(_ name: String, _ path: WritableKeyPath<Settings, Int>) -> Self {
        Self(name: name, read: { "\($0[keyPath: path])" }) {
            $0[keyPath: path] = try integer($1, name)
        }
    }

    static func integer(_ name: String, _ path: WritableKeyPath<Settings, Int?>) -> Self {
        Self(name: name, read: { $0[keyPath: path].map { "\($0)" } ?? automatic }) {
            $0[keyPath: path] = $1 == .text(automatic) ? nil : try integer($1, name)
        }
    }

    static func seed(_ name: String, _ path: WritableKeyPath<Settings, UInt64>) -> Self {
        Self(name: name, read: { "\($0[keyPath: path])" }) {
            let number = try integer($1, name)
            guard number >= 0 else { throw invalid("'\(name)' is at least 0, not \(number)") }
            $0[keyPath: path] = UInt64(number)
        }
    }

    static func flag(_ name: String, _ path: WritableKeyPath<Settings, Bool>) -> Self {
        Self(name: name, read: { "\($0[keyPath: path])" }) {
            guard case .flag(let flag) = $1 else {
                throw invalid("'\(name)' is true or false, not '\($1)'")
            }
            $0[keyPath: path] = flag
        }
    }

    static func name(_ name: String, _ path: WritableKeyPath<Settings, String>) -> Self {
        Self(name: name, read: { $0[keyPath: path] }) { $0[keyPath: path] = $1.description }
    }

    static func name(_ name: String, _ path: WritableKeyPath<Settings, String?>) -> Self {
        Self(name: name, read: { $0[keyPath: path] ?? automatic }) {
            $0[keyPath: path] = $1 == .text(automatic) ? nil : $1.description
        }
    }

    static func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ path: WritableKeyPath<Settings, Choice>
    ) -> Self where Choice.RawValue == String {
        Self(name: name, read: { $0[keyPath: path].rawValue }) {
            guard let choice = Choice(rawValue: $1.description) else {
                let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                throw invalid("'\(name)' is one of \(names), not '\($1)'")
            }
            $0[keyPath: path] = choice
        }
    }

    private static func number(_ value: RecipeValue, _ name: String) throws -> Double {
        guard case .number(let number) = value else {
            throw invalid("'\(name)' is a number, not '\(value)'")
        }
        return number
    }

    private static func integer(_ value: RecipeValue, _ name: String) throws -> Int {
        let number = try number(value, name)
        guard number == number.rounded(), abs(number) < 1e15 else {
            throw invalid("'\(name)' is a whole number, not \(value)")
        }
        return Int(number)
    }
}
