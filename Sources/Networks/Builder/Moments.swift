internal import Foundation

/// Mean and variance that the elements of a value have when inputs have mean 0 and variance 1 and
/// weights are random, taking elements as normal and independent.
///
/// Good to some tens of percent, which is enough: batch normalisation divides by them, so that
/// errors do not build up with depth.
struct Moments: Sendable {
    var mean: Double
    var variance: Double

    /// Mean 0, variance 1.
    static let standard = Moments(mean: 0, variance: 1)

    var meanSquare: Double { mean * mean + variance }

    /// The sum of two values.
    static func + (a: Moments, b: Moments) -> Moments {
        Moments(mean: a.mean + b.mean, variance: a.variance + b.variance)
    }

    /// After a function of each element.
    func after(_ function: (Double) -> Double) -> Moments {
        integrated(function) { _ in 1 }
    }

    /// The largest of `count` elements: its density is count Φ(z)^(count - 1) φ(z).
    func largest(of count: Int) -> Moments {
        integrated({ $0 }) { z in
            Double(count) * pow(0.5 * erfc(-z / 2.squareRoot()), Double(count - 1))
        }
    }

    /// By the trapezoidal rule over the standard normal density times `weight`.
    private func integrated(
        _ function: (Double) -> Double, weight: (Double) -> Double
    ) -> Moments {
        var (total, sum, squares) = (0.0, 0.0, 0.0)
        for z in stride(from: -6.0, through: 6.0, by: 0.0625) {
            let density = exp(-z * z / 2) * weight(z)
            let y = function(mean + variance.squareRoot() * z)
            total += density
            sum += density * y
            squares += density * y * y
        }
        let mean = sum / total
        return Moments(mean: mean, variance: max(0, squares / total - mean * mean))
    }
}
