import Foundation

/// One axis of a chart: values on it, the lengths they are drawn at, and where its grid lines are.
package struct ChartAxis: Sendable {
    /// Ends of the axis. On a logarithmic axis both are above zero.
    package let range: ClosedRange<Double>
    package let logarithmic: Bool
    /// Where the ends are drawn.
    package let start: Double
    package let end: Double
    /// Values that get a grid line and a label.
    package let ticks: [Double]

    /// A linear axis that holds `values`, with ends at whole ticks.
    package init(linear values: [Double], start: Double, end: Double) {
        let low = values.min() ?? 0
        let high = values.max() ?? 1
        let steps = [0.5, 1, 2, 5, 10, 20]
        let step = steps.first { (high - low) / $0 <= 8 } ?? 50
        let first = (low / step).rounded(.down)
        let last = max(first + 1, (high / step).rounded(.up))
        ticks = stride(from: first, through: last, by: 1).map { $0 * step }
        range = (first * step)...(last * step)
        logarithmic = false
        (self.start, self.end) = (start, end)
    }

    /// A linear axis that holds `values`, with ends at whole ticks of 1, 2 or 5 times a power of ten.
    package init(fitting values: [Double], start: Double, end: Double) {
        let low = values.min() ?? 0
        let high = max(values.max() ?? 1, low + 1e-9)
        let power = pow(10, floor(log10((high - low) / 6)))
        let step = [1, 2, 5, 10].map { $0 * power }.first { (high - low) / $0 <= 6 } ?? power
        let first = (low / step).rounded(.down)
        let last = max(first + 1, (high / step).rounded(.up))
        ticks = stride(from: first, through: last, by: 1).map { $0 * step }
        range = (first * step)...(last * step)
        logarithmic = false
        (self.start, self.end) = (start, end)
    }

    /// A logarithmic axis that holds `values`, with ends at 1, 2 or 5 times a power of ten.
    package init(logarithmic values: [Double], start: Double, end: Double) {
        let low = values.min() ?? 0.01
        let high = values.max() ?? 1
        let decades = Int(floor(log10(low))) - 1...Int(ceil(log10(high)))
        let marks = decades.flatMap { decade in [1, 2, 5].map { $0 * pow(10, Double(decade)) } }
        let first = marks.lastIndex { $0 <= low } ?? 0
        let last = marks.firstIndex { $0 >= high } ?? marks.count - 1
        let used = Array(marks[first...max(first + 1, last)])
        range = used[0]...used[used.count - 1]
        // More than ten labels stand too close: then one a power of ten.
        ticks =
            used.count <= 10
            ? used : decades.map { pow(10, Double($0)) }.filter(range.contains)
        logarithmic = true
        (self.start, self.end) = (start, end)
    }

    /// Where a value is drawn; beyond the ends too.
    package func position(_ value: Double) -> Double {
        let (low, high) = (range.lowerBound, range.upperBound)
        let share =
            logarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low)
        return start + (end - start) * share
    }
}
