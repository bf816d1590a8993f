import DenseMath
import ModelFiles
import Networks
import Training

/// The images of one phase of training.
struct TrainingData {
    let train: Dataset
    let test: Dataset

    /// What a phase of a task trains and tests on.
    ///
    /// - Parameter isPretraining: whether it is the phase that comes before.
    /// - Throws: ``TrainingError`` `.invalidInput` for too few classes.
    static func of(
        _ task: TrainingSettings.Task, isPretraining: Bool, train: Dataset, test: Dataset,
        seed: UInt64
    ) throws -> TrainingData {
        var random = SplitMix64(seed: seed, for: 2)
        switch task {
        case .full:
            return TrainingData(train: train, test: test)
        case .adapt:
            // Both halves have as many classes, so that one may be left out.
            let half = train.classNames.count / 2
            guard half > 0, test.classNames == train.classNames else {
                throw TrainingError(
                    .invalidInput,
                    "adapting needs at least two classes, the same ones in both splits",
                    path: train.name)
            }
            let order = random.permutation(train.classNames.count)
            let classes = (isPretraining ? order[..<half] : order[half..<2 * half]).sorted()
            return TrainingData(
                train: train.subset(ofClasses: classes), test: test.subset(ofClasses: classes))
        case .finetune:
            let order = random.permutation(train.count)
            let half = train.count / 2
            let samples = (isPretraining ? order[..<half] : order[half...]).sorted()
            return TrainingData(train: train.subset(samples), test: test)
        }
    }
}

/// A data set's images as training takes them.
struct DatasetImages: ImageSource {
    let dataset: Dataset
    let preprocessing: Preprocessing
    let labels: [Int]
    let black: [Float]

    var imageShape: [Int] { dataset.imageShape }

    init(_ dataset: Dataset, _ preprocessing: Preprocessing) {
        self.dataset = dataset
        self.preprocessing = preprocessing
        labels = dataset.labels
        let (means, deviations) = (preprocessing.mean, preprocessing.standardDeviation)
        black = (0..<dataset.imageShape[0]).map { channel in
            let mean = means.count > channel ? means[channel] : means.first ?? 0
            let deviation =
                deviations.count > channel ? deviations[channel] : deviations.first ?? 1
            return (0 - mean) / deviation
        }
    }

    func images(_ indices: [Int]) throws -> Tensor {
        try dataset.batch(indices, preprocessing: preprocessing)
    }
}
