import SmartDeal
import Testing

@Suite("Recipes")
struct RecipeTests {
    private let telling = """
        # Every layer, then the exceptions.
        mode: best
        prune: 0.1
        threshold: 0.002
        kinds:
          conv: {prune: 0.2, nibbles: 2}
          linear: {skip: true}
        layers:
          layer4.0.conv1.weight: {prune: 0.5}
          "layer4.*": {prune: 0.3, basis-width: 4}
          "*.conv1.weight": {prune: 0.4}
        """

    @Test("an exact name wins over a pattern, a pattern over a kind, a kind over the default")
    func precedence() throws {
        let recipe = try Recipe(yaml: telling)
        func options(_ name: String, _ kind: LayerKind) throws -> LayerOptions {
            try recipe.options(for: name, kind: kind)
        }
        let embedding = try options("embed.weight", .embedding)
        #expect(embedding.prune == 0.1)
        #expect(embedding.nibbles == nil)
        let conv = try options("layer1.conv2.weight", .conv)
        #expect(conv.prune == 0.2)
        #expect(conv.nibbles == 2)
        let inStage = try options("layer4.1.conv2.weight", .conv)
        #expect(inStage.prune == 0.3)
        #expect(inStage.basisWidth == 4)
        let byLaterPattern = try options("layer4.1.conv1.weight", .conv)
        #expect(byLaterPattern.prune == 0.4)
        // Written before the patterns, and still the most telling.
        let byName = try options("layer4.0.conv1.weight", .conv)
        #expect(byName.prune == 0.5)
        // Key by key: what the name leaves open, patterns, kinds and defaults say.
        #expect(byName.basisWidth == 4)
        #expect(byName.nibbles == 2)
        #expect(byName.threshold == 0.002)
        #expect(try options("fc.weight", .linear).skip)
    }

    @Test("of two patterns that match, the later wins whichever it is")
    func laterPattern() throws {
        for (first, second, expected) in [("*", "fc.*", 0.2), ("fc.*", "*", 0.2)] {
            let recipe = try Recipe(
                yaml: "layers:\n  '\(first)': {prune: 0.1}\n  '\(second)': {prune: 0.2}\n")
            #expect(try recipe.options(for: "fc.weight", kind: .linear).prune == expected)
        }
    }

    @Test("every key is read into its option")
    func allKeys() throws {
        let recipe = try Recipe(
            yaml: """
                mode: fast
                threshold: 1e-3
                iterations: 12
                tolerance: 0.5
                decay: 0.25
                largest-coefficient: 8
                column-scaling: true
                row-sparsity: yes
                prune: 2.5
                prune-kind: value
                nibbles: 2
                basis-width: 1
                basis-bits: 32
                filters-per-basis: 4
                alphabet: 5x3
                skip: false
                bits: 4.5
                """)
        let options = try recipe.options(for: "w", kind: .linear)
        #expect(options.mode == .fast)
        #expect(options.threshold == 1e-3)
        #expect(options.iterations == 12)
        #expect(options.tolerance == 0.5)
        #expect(options.decay == 0.25)
        #expect(options.largestCoefficient == 8)
        #expect(options.columnScaling)
        #expect(options.rowSparsity)
        #expect(options.prune == 2.5)
        #expect(options.pruneKind == .value)
        #expect(options.nibbles == 2)
        #expect(options.basisWidth == 1)
        #expect(options.basisBits == 32)
        #expect(options.filtersPerBasis == 4)
        #expect(options.alphabet?.name == "5x3")
        #expect(!options.skip)
        #expect(recipe.bits == 4.5)
        #expect(recipe.defaults.map(\.key).sorted() == LayerOptions.keys.sorted())
    }

    @Test("an empty recipe is the default one", arguments: ["", "# nothing\n", "{}"])
    func empty(text: String) throws {
        #expect(try Recipe(yaml: text) == Recipe())
    }

    @Test(
        "what is wrong is named with its line, and with near names",
        arguments: [
            ("mode: best\nthreshhold: 1", "line 2", "'threshold'"),
            ("pruune: 0.3", "line 1", "'prune'"),
            ("bit: 4", "line 1", "'bits'"),
            ("\nlayer: {}", "line 2", "'layers'"),
            ("mode: better", "line 1", "reference, best, fast"),
            ("mode: best\nkinds:\n  convolution: {prune: 0.1}", "line 3", "conv1x1"),
            ("kinds:\n  vector: {prune: 0.1}", "line 2", "depthwise"),
            ("kinds:\n  conv: {prunekind: value}", "line 2", "'prune-kind'"),
            ("layers:\n  a.weight:\n    skip: perhaps", "line 3", "true or false"),
            ("layers:\n  a.weight:\n    prune: much", "line 3", "'prune' is a number"),
            ("nibbles: 2.5", "line 1", "whole number"),
            ("iterations: .inf", "line 1", "whole number"),
            ("mode: .inf", "line 1", "not 'inf'"),
            ("alphabet: 6x6", "line 1", "single, 4x4, 5x3"),
            ("prune-kind: 1e300", "line 1", "population, value, energy"),
            ("bits: -3", "line 1", "positive"),
            ("bits: many", "line 1", "positive"),
            ("layers: [a, b]", "line 1", "key: value"),
            ("kinds: 3", "line 1", "key: value"),
            ("- mode", "line 1", "key: value"),
            ("layers:\n  a: {prune: [1, 2]}", "line 2", "a value is a number"),
            ("layers:\n  a: 7", "line 2", "key: value"),
            ("? [a]\n: 1", "line 1", "a key is a word"),
        ])
    func mistakes(yaml: String, line: String, words: String) {
        expectError("invalid-recipe", saying: line, words) { try Recipe(yaml: yaml) }
    }

    @Test(
        "what is not YAML is said to be none, with the line",
        arguments: ["mode: [", "a: b: c", "{", "\tmode: best", "mode: best\nmode: fast"])
    func notYAML(yaml: String) {
        expectError("invalid-recipe", saying: "YAML") { try Recipe(yaml: yaml) }
    }

    @Test("options that break a rule name the weight")
    func brokenRules() throws {
        let recipe = try Recipe(yaml: "layers:\n  'a.*': {prune: 1.5, nibbles: 9}\n")
        expectError("invalid-option", saying: "'a.weight'", "prune must be in 0..<1", "nibbles") {
            try recipe.options(for: "a.weight", kind: .linear)
        }
        #expect(throws: Never.self) { try recipe.options(for: "b.weight", kind: .linear) }
    }

    @Test("a pattern that matches nothing is refused with near names, all of them at once")
    func unmatched() throws {
        let recipe = try Recipe(
            yaml: "layers:\n  layer1.conv.wieght: {skip: true}\n  'nothing*': {skip: true}\n")
        expectError(
            "unmatched-pattern", saying: "'layer1.conv.wieght'",
            "did you mean 'layer1.conv.weight'",
            "'nothing*'"
        ) {
            try recipe.check(against: ["layer1.conv.weight", "fc.weight"])
        }
        let folder = try TestFolder()
        try TestModel.mixed().write(to: folder("in"))
        for list in [\CheckpointCompressor.include, \CheckpointCompressor.exclude] {
            var compressor = CheckpointCompressor(Recipe())
            compressor[keyPath: list] = [Glob("cov.weight")]
            expectError("unmatched-pattern", saying: "'conv.weight'") {
                try compressor.compress(folder("in"), to: folder("out"))
            }
        }
        #expect(try folder.names() == ["in"])
    }

    @Test("a recipe changes only the weights that it names")
    func applied() throws {
        let folder = try TestFolder()
        try TestModel.mixed().write(to: folder("in"))
        let recipe = try Recipe(
            yaml: """
                mode: fast
                kinds: {depthwise: {mode: reference}}
                layers:
                  "{half,brain}.weight": {mode: best, nibbles: 3, basis-width: 4}
                  brain.weight: {basis-width: 6}
                """)
        let report = try CheckpointCompressor(recipe).compress(folder("in"), to: folder("out"))
        func row(_ name: String) throws -> CompressionReport.Tensor {
            try #require(report.tensors.first { $0.name == name })
        }
        #expect(try row("conv.weight").reason == "fast")
        #expect(try row("depthwise.weight").reason == "reference")
        #expect(try row("depthwise.weight").alphabet == "single")
        #expect(try row("half.weight").basis_width == 4)
        #expect(try row("brain.weight").basis_width == 6)
        #expect(report.mode == "best, fast, reference")
        let metadata = try Checkpoint(path: folder("out")).metadata
        #expect(metadata["smartdeal.recipe"] == recipe.summary)
        #expect(
            recipe.summary
                == "mode=fast; depthwise: mode=reference; {half,brain}.weight: mode=best nibbles=3 "
                + "basis-width=4; brain.weight: basis-width=6")
    }

    @Test("numbers of any size can be summed up", arguments: [1e300, -1e19, .infinity, 0.1, 3])
    func summaries(number: Double) {
        let recipe = Recipe([("threshold", .number(number))])
        #expect(
            recipe.summary == "threshold=" + (number == 3 ? "3" : "\(number)")
                || Double(recipe.summary.dropFirst("threshold=".count)) == number)
    }
}

@Suite("Recipes by name")
struct NamedRecipeTests {
    /// The layers of the usual ResNet-18, in order.
    private static let resNet18: [String] = [
        "conv1", "layer1.0.conv1", "layer1.0.conv2", "layer1.1.conv1", "layer1.1.conv2",
        "layer2.0.conv1", "layer2.0.conv2", "layer2.0.shortcut.0", "layer2.1.conv1",
        "layer2.1.conv2", "layer3.0.conv1", "layer3.0.conv2", "layer3.0.shortcut.0",
        "layer3.1.conv1", "layer3.1.conv2", "layer4.0.conv1", "layer4.0.conv2",
        "layer4.0.shortcut.0", "layer4.1.conv1", "layer4.1.conv2", "linear",
    ]

    /// The layers of the usual MobileNetV2 for CIFAR, in order: blocks 0, 1, 10 and 16 change the
    /// number of channels at stride 1.
    private static let mobileNetV2: [String] =
        ["conv1"]
        + (0..<17).flatMap { block in
            (1...3).map { "layers.\(block).conv\($0)" }
                + ([0, 1, 10, 16].contains(block) ? ["layers.\(block).shortcut.0"] : [])
        } + ["conv2", "linear"]

    @Test(
        "the authors' lists name every layer of their networks, each rule one",
        arguments: [
            ("resnet18", resNet18, 21), ("resnet18-mild", resNet18, 21),
            ("mobilenetv2", mobileNetV2, 58),
        ])
    func layers(name: String, layers: [String], count: Int) throws {
        let recipe = try #require(Recipe.named(name))
        #expect(recipe.rules.count == count)
        for prefix in ["", "module."] {
            let names = layers.map { prefix + $0 + ".weight" }
            #expect(names.count == count)
            try recipe.check(against: names)
            for (rule, name) in zip(recipe.rules, names) {
                #expect(names.filter { rule.glob.matches($0) } == [name])
            }
        }
    }

    @Test("torchvision's names are known too: downsample and fc")
    func otherNames() throws {
        let names = Self.resNet18.map {
            $0.replacing("shortcut", with: "downsample").replacing("linear", with: "fc") + ".weight"
        }
        for name in ["resnet18", "resnet18-mild"] {
            try #require(Recipe.named(name)).check(against: names)
        }
    }

    @Test("all are in reference mode, and each layer has its fraction")
    func fractions() throws {
        func prune(_ recipe: String, _ layer: String) throws -> Double? {
            let options = try #require(Recipe.named(recipe))
                .options(for: layer + ".weight", kind: .conv)
            #expect(options.mode == .reference)
            #expect(options.pruneKind == .population)
            return options.prune
        }
        #expect(try prune("resnet18", "conv1") == 0.4)
        #expect(try prune("resnet18", "layer1.0.conv1") == 0.6)
        #expect(try prune("resnet18", "layer2.0.shortcut.0") == 0.1)
        #expect(try prune("resnet18", "layer4.0.conv2") == 0.9)
        #expect(try prune("resnet18", "layer4.0.shortcut.0") == 0.6)
        #expect(try prune("resnet18", "layer4.1.conv2") == 0.9)
        #expect(try prune("resnet18", "linear") == 0.1)
        #expect(try prune("resnet18-mild", "layer4.1.conv2") == 0.7)
        #expect(try prune("mobilenetv2", "layers.0.shortcut.0") == 0.2)
        #expect(try prune("mobilenetv2", "layers.1.shortcut.0") == 0.05)
        #expect(try prune("mobilenetv2", "layers.16.shortcut.0") == 0.6)
        #expect(try prune("mobilenetv2", "conv2") == 0.8)
        for layer in Self.mobileNetV2 {
            // Depthwise layers and the classifier are not pruned, all others are.
            let isWhole = layer.hasPrefix("layers.") && layer.hasSuffix("conv2")
            #expect((try prune("mobilenetv2", layer) == nil) == (isWhole || layer == "linear"))
        }
        for layer in Self.resNet18 {
            let full = try #require(try prune("resnet18", layer))
            #expect(try #require(try prune("resnet18-mild", layer)) <= full)
        }
    }

    @Test("every listed name is a recipe, and no other")
    func names() {
        for name in Recipe.names { #expect(Recipe.named(name) != nil) }
        #expect(Recipe.named("resnet19") == nil)
        #expect(Recipe.names.count == 3)
    }
}
