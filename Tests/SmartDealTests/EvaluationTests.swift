import Foundation
import SmartDeal
import Testing

@Suite("Evaluation")
struct EvaluationTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
    }

    /// Four images of 2 x 2 pixels, of which one is white: the one that is the image's class.
    private func dataset(classes: [String]? = nil) throws -> Dataset {
        var images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 2]
        for label in 0..<4 { images += (0..<4).map { $0 == label ? 255 : 0 } }
        try folder.write(images, to: "t10k-images-idx3-ubyte")
        try folder.write([0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 2, 3], to: "t10k-labels-idx1-ubyte")
        if let classes {
            let names = classes.map { "\"\($0)\"" }.joined(separator: ", ")
            try folder.write("{\"class_names\": [\(names)]}", to: "dataset.json")
        }
        return try Dataset.load(folder.path)
    }

    /// A network whose scores are the pixels.
    private func network(
        batch: Network.Dimension = .named("batch"), output: [Int64] = [0, 4],
        then operations: [Networks.Operation] = [], type: ScalarType = .float32
    ) -> Network {
        var network = Network(
            name: "pixels", inputs: [.init("image", type, [batch, 1, 2, 2])],
            parameters: ["shape": .dense(Tensor(shape: [output.count], integers: output))])
        network.nodes = [
            Node(
                "scores", .reshape(allowsZero: false), inputs: ["image", "shape"],
                outputs: ["scores"])
        ]
        network.outputs = ["scores"]
        for (index, operation) in operations.enumerated() {
            network.nodes.append(
                Node(
                    "n\(index)", operation, inputs: network.outputs, outputs: ["value\(index)"]))
            network.outputs = ["value\(index)"]
        }
        return network
    }

    private func report(
        _ network: Network, _ dataset: Dataset, batch: Int = 100
    ) throws -> Evaluation.Report {
        var evaluation = Evaluation()
        evaluation.batch = batch
        evaluation.threads = 1
        return try evaluation.evaluate(network, name: "pixels", on: dataset)
    }

    @Test("accuracy and loss are those worked out by hand, whatever the batch")
    func byHand() throws {
        let dataset = try dataset()
        for batch in [1, 3, 4, 100] {
            let report = try report(network(), dataset, batch: batch)
            #expect(report.accuracy == 1 && report.correct == 4 && report.images == 4)
            #expect(abs(report.loss - (log(M_E + 3) - 1)) < 1e-6)
            #expect(report.preprocessing == "unit" && report.precision == "f32")
            #expect(report.seconds > 0 && report.images_per_second > 0)
        }
    }

    @Test("a network that is fixed to a batch is given that many images", arguments: [1, 3, 4, 7])
    func fixedBatch(size: Int) throws {
        let report = try report(network(batch: .fixed(size)), dataset())
        #expect(report.correct == 4 && report.images == 4)
        #expect(abs(report.loss - (log(M_E + 3) - 1)) < 1e-6)
    }

    @Test("scores may have dimensions of 1 after the classes")
    func scoresOfRankFour() throws {
        let report = try report(network(output: [0, 4, 1, 1]), dataset())
        #expect(report.correct == 4)
    }

    @Test("of probabilities the loss is that of the scores before the softmax")
    func probabilities() throws {
        let softmax = network(then: [.softmax(axis: 1), .flatten(axis: 1), .unary(.identity)])
        let report = try report(softmax, dataset())
        #expect(report.correct == 4)
        #expect(abs(report.loss - (log(M_E + 3) - 1)) < 1e-6)
    }

    @Test("a class that is ruled out costs a finite loss")
    func impossibleClass() throws {
        // The white pixel has -inf, log 0, and the others 0: three of four images' classes do not
        // have the first of the highest scores, and none its own.
        var network = network(then: [.unary(.negate)])
        network.parameters["one"] = .dense(Tensor(shape: [1], [1]))
        network.nodes += [
            Node("add", .binary(.add), inputs: ["value0", "one"], outputs: ["rest"]),
            Node("log", .unary(.log), inputs: ["rest"], outputs: ["logs"]),
        ]
        network.outputs = ["logs"]
        let report = try report(network, dataset())
        #expect(report.correct == 0)
        #expect(report.loss > 100 && report.loss < 110)
    }

    @Test("the normalisation that is stored in the model wins")
    func preprocessing() throws {
        var network = network()
        network.preprocessing = Preprocessing(
            name: "own", mean: [0.5], standardDeviation: [0.25])
        let report = try report(network, dataset())
        #expect(report.preprocessing == "own")
        #expect(abs(report.loss - (log(exp(2) + 3 * exp(-2)) - 2)) < 1e-6)
    }

    @Test("classes are matched by name where the model and the data set name them")
    func classNames() throws {
        var network = network()
        var preprocessing = Preprocessing.unit
        preprocessing.classNames = ["a", "b", "c", "d"]
        network.preprocessing = preprocessing
        #expect(try report(network, dataset(classes: ["a", "b", "c", "d"])).correct == 4)
        // Image 0 is of the data set's first class, b, which is the model's second.
        #expect(try report(network, dataset(classes: ["b", "a", "c", "d"])).correct == 2)
        let error = #expect(throws: SmartDealError.self) {
            try report(network, dataset(classes: ["a", "b", "c", "dd"]))
        }
        #expect(
            error?.message.hasPrefix("the network knows no class 'dd'; did you mean 'd'") == true)
    }

    @Test("without names the network may tell more classes apart, with names it may not")
    func moreClasses() throws {
        var six = network()
        six.parameters["rest"] = .dense(
            Tensor(shape: [4, 6], (0..<24).map { $0 / 6 == $0 % 6 ? 1 : 0 }))
        six.nodes.append(
            Node("more", .matMul, inputs: ["scores", "rest"], outputs: ["six"]))
        six.outputs = ["six"]
        #expect(try report(six, dataset()).correct == 4)
        expectMismatch(
            six, try dataset(classes: ["a", "b", "c", "d"]),
            "the network tells 6 classes apart, the data set has 4")
    }

    private func expectMismatch(
        _ network: Network, _ dataset: Dataset, _ message: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: SmartDealError.self, sourceLocation: sourceLocation) {
            try report(network, dataset)
        }
        #expect(error?.code == .datasetMismatch, sourceLocation: sourceLocation)
        #expect(error?.message == message, sourceLocation: sourceLocation)
    }

    @Test("a network that the images are not for is refused with what it takes or gives")
    func mismatch() throws {
        let dataset = try dataset()
        var other = network()
        other.inputs[0].shape = [.named("n"), 3, 2, 2]
        expectMismatch(
            other, dataset,
            "the network takes float32 [n, 3, 2, 2], the images of '\(dataset.name)' are [1, 2, 2]")
        expectMismatch(
            network(type: .int64), dataset,
            "the network takes int64 [batch, 1, 2, 2], the images of '\(dataset.name)' are "
                + "[1, 2, 2]")
        other = network()
        other.inputs.append(.init("second", .float32, [1]))
        expectMismatch(
            other, dataset, "the network has 2 inputs; images are for networks with one")
        other = network()
        other.outputs = []
        expectMismatch(other, dataset, "the network has no output")
        expectMismatch(
            network(batch: 0), dataset, "the network takes no images: float32 [0, 1, 2, 2]")
        for shape in [[0, 2, 2], [16], [2, 8], [0, 0, 0, 0]] as [[Int64]] {
            let error = #expect(throws: SmartDealError.self) {
                try report(network(output: shape), dataset)
            }
            #expect(error?.code == .datasetMismatch, "\(shape)")
        }
        expectMismatch(
            network(then: [.cast(.int64)]), dataset,
            "the network's output, int64 [4, 4], is no list of scores for each image")
    }

    @Test("scores that are not numbers are an error that names the image")
    func notANumber() throws {
        // The square root of -1 at the white pixel, from the first image on.
        let network = network(then: [.unary(.negate), .unary(.sqrt)])
        let error = #expect(throws: SmartDealError.self) { try report(network, dataset()) }
        #expect(error?.code == .notANumber)
        #expect(error?.message.contains("image 0 ") == true)
    }

    @Test("a stopped evaluation throws, and tells how much was right until then")
    func progress() throws {
        let seen = Seen()
        let progress = TaskProgress { seen.add($0) }
        var evaluation = Evaluation()
        evaluation.batch = 2
        _ = try evaluation.evaluate(network(), name: "p", on: dataset(), progress: progress)
        #expect(seen.states.map(\.done) == [2, 4] && seen.states.map(\.total) == [4, 4])
        #expect(seen.states.last?.tensor == "100 % right so far")
        progress.cancel()
        let error = #expect(throws: SmartDealError.self) {
            try evaluation.evaluate(network(), name: "p", on: dataset(), progress: progress)
        }
        #expect(error?.code == .interrupted)
    }

    private final class Seen: @unchecked Sendable {
        // Unchecked: one thread calls at a time.
        private(set) var states: [TaskProgress.State] = []
        func add(_ state: TaskProgress.State) { states.append(state) }
    }

    @Test("300 images of Fashion-MNIST get the classes and the loss that ONNX Runtime gives them")
    func fashion() throws {
        struct Expected: Decodable {
            var images: Int
            var correct: Int
            var loss: Double
        }
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fixtures").path
        let json = try Data(
            contentsOf: URL(
                fileURLWithPath: fixtures + "/fashion_resnet20/expected_accuracy.json"))
        let all = try JSONDecoder().decode([Expected].self, from: json)
        let expected = try #require(all.first { $0.images == 300 })
        let model = try LoadedNetwork(path: fixtures + "/fashion_resnet20/fashion_resnet20.onnx")
        let images = try Dataset.load(fixtures + "/fashion_mnist_2000", limit: 300)
        let report = try report(model.network, images)
        #expect(report.correct == expected.correct)
        #expect(abs(report.loss - expected.loss) < 1e-5)
        #expect(report.preprocessing == "fashion-mnist")
    }
}
