/// An accelerator: its array, memories, word lengths, and what it can skip.
///
/// Users write it as YAML; ``presets`` are such files too.
public struct AcceleratorConfig: Sendable, Equatable {
    /// What arithmetic units are.
    public enum MACStyle: String, Sendable, CaseIterable {
        case parallel
        /// One radix-4 Booth digit of the activation a cycle, digits of zero left out.
        case boothSerial = "booth-serial"
    }

    /// Zeros that are neither read nor computed.
    public enum Skipping: String, Sendable, CaseIterable {
        case none, row, element
    }

    /// How weights are stored in DRAM and in the weight buffer.
    public enum WeightFormat: String, Sendable, CaseIterable {
        case dense
        /// Non-zero weights and one bit a weight.
        case bitmap
        /// Non-zero weights and `index` bits each.
        case runLength = "run-length"
        /// Coefficients, bases and indexes.
        case smartdeal
    }

    /// What the index of coefficients has a bit for.
    public enum IndexKind: String, Sendable, CaseIterable {
        case element, row
        /// Rows, shared by 32 filters.
        case group
    }

    /// How activations are stored in DRAM.
    public enum ActivationFormat: String, Sendable, CaseIterable {
        case dense
        case bitmap
        case runLength = "run-length"
    }

    /// One kind of buffer, all its banks together.
    public struct Buffer: Sendable, Equatable {
        public var bytes: Double
        /// Energy of an access follows from the bytes of one bank.
        public var banks: Double
        /// What its port can move a cycle, or nil when it never limits.
        public var bytesPerCycle: Double?
        /// pJ a byte, instead of the energy table's.
        public var picojoulesPerByte: Double?
    }

    /// Word lengths in bits.
    public struct WordLengths: Sendable, Equatable {
        public var activation = 8.0
        public var weight = 8.0
        public var coefficient = 4.0
        public var basis = 8.0
        public var partialSum = 24.0
        /// Of a run length.
        public var runLength = 4.0
    }

    /// How training updates weights, and in which word lengths.
    public struct Training: Sendable, Equatable {
        public enum Update: String, Sendable, CaseIterable {
            /// A master copy with momentum.
            case sgd
            /// Counters that switch coefficients between powers of two.
            case bucketSwitch = "bucket-switch"
        }

        public var update = Update.sgd
        /// Bits of gradients of activations.
        public var error = 8.0
        /// Bits of gradients of weights and coefficients.
        public var gradient = 32.0
        public var momentum = 32.0
        /// Bits of the copy that SGD updates; bases have it too.
        public var master = 32.0
        /// Steps in one direction that make a coefficient switch.
        public var switchBar = 1.0
        /// Whether forward and backward passes compute in 32-bit floats.
        public var floats = false
    }

    public var name: String
    /// What it is and where its numbers come from.
    public var about: String
    public var dataflow: Dataflow
    /// Hz.
    public var clock: Double
    public var dramBytesPerCycle: Double
    public var inputBuffer: Buffer
    public var outputBuffer: Buffer
    public var weightBuffer: Buffer
    /// Where indexes are; the weight buffer when nil.
    public var indexBuffer: Buffer?
    public var bits: WordLengths
    public var mac: MACStyle
    /// Cycles that units which wait for each other take for an activation, when no histogram of
    /// digits is known.
    public var synchronousDigits: Double
    public var skipsWeights: Skipping
    public var skipsActivations: Skipping
    public var weightFormat: WeightFormat
    public var index: IndexKind
    public var activationFormat: ActivationFormat
    /// Output row segments for which a weight is rebuilt once.
    public var rebuildReuse: Double
    /// Share of the cycles that units which have work are busy.
    public var utilization: Double
    public var training: Training
    public var units: EnergyTable
    /// Parameters that were chosen to fit.
    public var calibrations: [CalibratedParameter]
}
