/// How often the two operands of a pass are read from DRAM.
///
/// Each once when one of them fits in its buffer. Otherwise one stays in parts that fit, and the
/// other comes once for each part, whichever takes fewer bytes.
struct DRAMTiling {
    let inputTimes: Double
    let weightTimes: Double

    /// - Parameters: bytes of the operands and of their buffers.
    init(input: Double, weight: Double, inputBuffer: Double, weightBuffer: Double) {
        let inputParts = max(1, (input / inputBuffer).rounded(.up))
        let weightParts = max(1, (weight / weightBuffer).rounded(.up))
        if weight + input * weightParts <= input + weight * inputParts {
            (inputTimes, weightTimes) = (weightParts, 1)
        } else {
            (inputTimes, weightTimes) = (1, inputParts)
        }
    }
}
