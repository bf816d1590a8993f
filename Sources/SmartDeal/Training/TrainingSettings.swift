import Training

/// What is asked of a training run. Every setting has a key in YAML, see ``keys``.
public struct TrainingSettings: Sendable, Equatable {
    /// How weights live while they learn.
    public enum Form: String, Sendable, CaseIterable {
        case dense
        /// As symbols, masks and basis from the first step to the last.
        case smartDeal = "smartdeal"
    }

    /// What is trained on what.
    public enum Task: String, Sendable, CaseIterable {
        /// All images.
        case full
        /// First dense on one half of the classes, then with a new classifier on the other half.
        case adapt
        /// First dense on one half of the images, then on the other half.
        case finetune
    }

    /// How coefficients move; see ``CoefficientTraining``.
    public enum CoefficientMode: String, Sendable, CaseIterable {
        case bucketSwitch = "switch"
        case requantise
        case errorFeedback = "feedback"
        case frozen
    }

    /// The rule for what is kept as floats.
    public enum Rule: String, Sendable, CaseIterable {
        case sgd
        case adamW = "adamw"
    }

    /// A learning-rate schedule; see ``LearningRateSchedule``.
    public enum Schedule: String, Sendable, CaseIterable {
        case constant, step, linear, cosine
        case oneCycle = "one-cycle"
        case paper
    }

    /// What is made small; see ``Training/Loss``.
    public enum LossKind: String, Sendable, CaseIterable {
        case crossEntropy = "cross-entropy"
        case meanSquaredError = "mean-squared-error"
    }

    /// A built-in network or a file, and a data set, by name.
    public var network = ""
    public var dataset = ""
    /// A pretrained model: a file, or the folder of another run.
    public var source: String?
    public var form = Form.smartDeal
    public var task = Task.full
    public var epochs = 20
    /// Epochs of what comes first in `adapt` and `finetune` without a source; nil: as many.
    public var pretrainEpochs: Int?
    public var batch = 128
    /// The highest learning rate; nil: 0.2, with AdamW 0.002.
    public var learningRate: Double?
    /// How weights are put in SmartDeal form: a known recipe or a file; nil: ``Recipe/training(_:)``.
    public var recipe: String?
    public var seed: UInt64 = 0
    /// At most so many images to train on, and to test on.
    public var limit: Int?
    public var testLimit: Int?

    public var optimizer = Rule.sgd
    public var momentum = 0.9
    public var nesterov = true
    public var weightDecay = 5e-4
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8

    public var schedule = Schedule.oneCycle
    public var stepEvery = 30
    public var stepFactor = 0.5

    public var loss = LossKind.crossEntropy
    public var labelSmoothing = 0.0
    /// Pixels of border for cropping; nil: 2 for images of less than 32 pixels, else 4.
    public var crop: Int?
    public var flip = true
    public var shuffle = true

    /// The epoch whose end is the first to count in the average of weights; nil: no average.
    public var averageStart: Int?
    public var averageEvery = 1
    /// The rate that the paper's schedule ends with when weights are averaged.
    public var averageRate = 0.01

    /// How coefficients of weights in SmartDeal form learn; see ``SmartDealTraining``.
    public var coefficientMode = CoefficientMode.errorFeedback
    public var switchBar = 1
    /// Updates up to it do not count for bucket switching.
    public var coefficientThreshold = 0.01
    /// Of the update of coefficients, a float each; with error feedback 0 does, too, as counters of
    /// 8 bits keep what is left of every update, at a rate of about 3.
    public var coefficientMomentum = 0.9
    /// The learning rate of coefficients as a multiple of the others'.
    public var coefficientRate = 1.0
    public var coefficientDecay = 5e-4
    /// Magnitudes below are not used; 0 leaves it to the alphabet.
    public var smallestCoefficient = 0.0
    /// Whether coefficients that are zero at the start stay zero.
    public var freezesZeros = false

    /// Bits that activations and weights are rounded to in steps; nil: none are. See
    /// ``Training/Quantization``.
    public var quantizationBits: Int?
    /// Bits that gradients are rounded to where activations are; nil: they are not.
    public var gradientBits: Int?

    /// Epochs at the start in which only the classifier learns.
    public var warmUpEpochs = 0
    /// Whether batch normalisation is measured again before the first step.
    public var reestimatesBatchNorm = false
    /// Whether dense weights are decomposed after each epoch, with the structure of the start.
    public var retrains = false
    /// Whether the log has the loss of every step.
    public var logsSteps = false

    public init() {}
}

extension TrainingSettings {
    /// The rule that moves what is kept as floats.
    var rule: Optimizer {
        switch optimizer {
        case .sgd:
            .sgd(
                SGD(
                    momentum: Float(momentum), weightDecay: Float(weightDecay),
                    isNesterov: nesterov))
        case .adamW:
            .adamW(
                AdamW(
                    beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon),
                    weightDecay: Float(weightDecay)))
        }
    }

    /// How weights in SmartDeal form learn.
    var smartDealTraining: SmartDealTraining {
        var training = SmartDealTraining()
        if case .sgd(let rule) = rule { training.basis = rule }
        training.coefficients =
            switch coefficientMode {
            case .bucketSwitch:
                .bucketSwitch(switchBar: switchBar, dCThreshold: Float(coefficientThreshold))
            case .requantise: .requantise
            case .errorFeedback: .errorFeedback
            case .frozen: .frozen
            }
        training.coefficientUpdate = SGD(
            momentum: Float(coefficientMomentum), weightDecay: Float(coefficientDecay))
        training.coefficientRate = Float(coefficientRate)
        training.seed = seed
        training.smallest = smallestCoefficient
        training.freezesZeros = freezesZeros
        return training
    }

    /// How values are rounded in steps, if they are.
    var quantization: Quantization? {
        quantizationBits.map {
            Quantization(
                activationBits: $0, weightBits: $0, gradientBits: gradientBits, seed: seed)
        }
    }

    /// The highest learning rate.
    var highestRate: Double { learningRate ?? (optimizer == .sgd ? 0.2 : 0.002) }

    var rateSchedule: LearningRateSchedule {
        switch schedule {
        case .constant: .constant
        case .step: .step(every: stepEvery, factor: stepFactor)
        case .linear: .linear
        case .cosine: .cosine
        case .oneCycle: .oneCycle
        case .paper:
            .paper(
                until: averageStart,
                floor: averageStart == nil ? 0.01 : averageRate / highestRate)
        }
    }

    var lossFunction: Loss {
        switch loss {
        case .crossEntropy: .crossEntropy(labelSmoothing: Float(labelSmoothing))
        case .meanSquaredError: .meanSquaredError
        }
    }

    /// The changes to images of a shape `[C, H, W]`.
    func augmentation(_ imageShape: [Int]) -> Augmentation {
        let size = min(imageShape[1], imageShape[2])
        return Augmentation(crop: crop ?? (size < 32 ? 2 : 4), flip: flip)
    }
}
