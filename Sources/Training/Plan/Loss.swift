internal import Foundation

/// What training makes small.
public enum Loss: Sendable, Equatable {
    /// Mean over images of the cross-entropy, in nats, of the softmax of the scores against the
    /// class; with smoothing s against a share 1 - s of the class and s spread over all classes.
    case crossEntropy(labelSmoothing: Float = 0)
    /// Mean over images and classes of the squared distance of the scores to 1 for the class and
    /// 0 for the others.
    case meanSquaredError
}

/// What a forward pass gives.
package struct StepLoss: Sendable, Equatable {
    /// The mean loss.
    package let loss: Double
    /// Images whose class has the highest score.
    package let correct: Int
}

extension Loss {
    /// The loss of scores `[images, classes]`, and its gradient.
    func evaluate(
        _ scores: UnsafePointer<Float>, labels: [Int], classes: Int,
        gradient: UnsafeMutablePointer<Float>
    ) -> StepLoss {
        var sum = 0.0
        var correct = 0
        for (image, label) in labels.enumerated() {
            let row = UnsafeBufferPointer(start: scores + image * classes, count: classes)
            let target = UnsafeMutableBufferPointer(
                start: gradient + image * classes, count: classes)
            var best = 0
            for k in 1..<max(1, classes) where row[k] > row[best] { best = k }
            correct += best == label ? 1 : 0
            switch self {
            case .crossEntropy(let smoothing):
                let largest = Double(row[best])
                let total = row.reduce(0.0) { $0 + exp(Double($1) - largest) }
                let logTotal = log(total) + largest
                let rest = Double(smoothing) / Double(classes)
                for k in 0..<classes {
                    let wanted = (k == label ? 1 - Double(smoothing) : 0) + rest
                    let logShare = Double(row[k]) - logTotal
                    if wanted > 0 { sum -= wanted * logShare }
                    target[k] = Float((exp(logShare) - wanted) / Double(labels.count))
                }
            case .meanSquaredError:
                let scale = 1 / Double(labels.count * classes)
                for k in 0..<classes {
                    let difference = Double(row[k]) - (k == label ? 1 : 0)
                    sum += difference * difference / Double(classes)
                    target[k] = Float(2 * difference * scale)
                }
            }
        }
        return StepLoss(loss: sum / Double(max(1, labels.count)), correct: correct)
    }
}
