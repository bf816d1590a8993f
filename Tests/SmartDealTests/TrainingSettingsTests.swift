import SmartDeal
import Testing

@Suite("Settings of training") struct TrainingSettingsTests {
    @Test("YAML sets what it names, in groups and without")
    func yaml() throws {
        var settings = TrainingSettings()
        try settings.read(
            yaml: """
                epochs: 40
                form: dense
                schedule: cosine
                learning-rate: 0.05
                optimizer: adamw
                nesterov: false
                augmentation: {crop: 3, flip: false}
                swa:
                  start: 30
                  every: 2
                recipe: mine.yaml
                """)
        var expected = TrainingSettings()
        expected.epochs = 40
        expected.form = .dense
        expected.schedule = .cosine
        expected.learningRate = 0.05
        expected.optimizer = .adamW
        expected.nesterov = false
        expected.crop = 3
        expected.flip = false
        expected.averageStart = 30
        expected.averageEvery = 2
        expected.recipe = "mine.yaml"
        #expect(settings == expected)
    }

    @Test("all mistakes are told at once, with lines and near names")
    func mistakes() throws {
        var settings = TrainingSettings()
        let before = settings
        let error = #expect(throws: TrainingError.self) {
            try settings.read(
                yaml: """
                    epoch: 40
                    form: smart
                    augmentation: {crops: 3}
                    batch: many
                    momentum: [1, 2]
                    """)
        }
        let text = error?.message ?? ""
        for part in [
            "line 1: there is no setting 'epoch'; did you mean 'epochs'",
            "line 2: 'form' is one of dense, smartdeal, not 'smart'",
            "line 3: there is no setting 'augmentation.crops'; did you mean 'augmentation.crop'",
            "line 4: 'batch' is a number, not 'many'",
            "line 5: 'momentum' is a number, a word, or true or false",
        ] {
            #expect(text.contains(part), "\(text)")
        }
        #expect(settings == before)
    }

    @Test(
        "what is no list of keys, and rules that are broken, are errors",
        arguments: [
            "- 1", "just words", "augmentation: 3", "{", "epochs: 0", "batch: 0",
            "learning-rate: -1",
            "momentum: 1", "swa: {start: 20}", "retrain: true", "coefficients: {switch-bar: 128}",
            "label-smoothing: 1", "seed: -1", "epochs: 1.5", "flip: true",
        ])
    func refused(yaml: String) {
        var settings = TrainingSettings()
        #expect(throws: TrainingError.self) { try settings.read(yaml: yaml) }
    }

    @Test("what overrides the text counts when rules are checked")
    func overriding() throws {
        var settings = TrainingSettings()
        try settings.read(yaml: "retrain: true\nepochs: 7") {
            $0.form = .dense
            $0.epochs = 2
        }
        #expect(settings.retrains && settings.form == .dense && settings.epochs == 2)
        #expect(throws: TrainingError.self) {
            try settings.read(yaml: "epochs: 5") { $0.batch = 0 }
        }
        #expect(settings.epochs == 2)
    }

    @Test("every setting reads back what its text says")
    func roundTrip() throws {
        var settings = TrainingSettings()
        settings.epochs = 3
        settings.crop = 1
        settings.task = .finetune
        settings.learningRate = 0.25
        var copy = TrainingSettings()
        for (key, value) in settings.entries where !value.isEmpty {
            let number = Double(value).map { RecipeValue.number($0) }
            let flag = Bool(value).map { RecipeValue.flag($0) }
            try copy.set(key, to: number ?? flag ?? .text(value))
        }
        #expect(copy == settings)
    }
}
