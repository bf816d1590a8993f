import Foundation
@testable import Training

extension Loss {
    /// The mean loss of scores `[N, classes]`, in double precision.
    func value(_ scores: DoubleTensor, labels: [Int]) -> Double {
        let classes = scores.shape[1]
        let count = Double(labels.count)
        var sum = 0.0
        for (image, label) in labels.enumerated() {
            let row = scores.values[(image * classes)..<((image + 1) * classes)]
            switch self {
            case .crossEntropy(let labelSmoothing):
                let largest = row.max() ?? 0
                let normalizer = largest + log(row.reduce(0) { $0 + exp($1 - largest) })
                let smoothing = Double(labelSmoothing)
                for (index, score) in row.enumerated() {
                    let target =
                        smoothing / Double(classes) + (index == label ? 1 - smoothing : 0)
                    sum += target * (normalizer - score) / count
                }
            case .meanSquaredError:
                for (index, score) in row.enumerated() {
                    let error = score - (index == label ? 1 : 0)
                    sum += error * error / (count * Double(classes))
                }
            }
        }
        return sum
    }
}
