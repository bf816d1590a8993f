/// Where the labels of marks in a drawing stand: beside their marks, and if there is room over
/// nothing else.
package struct LabelPlacement {
    package struct Box: Sendable, Equatable {
        package var left: Double
        package var top: Double
        package var width: Double
        package var height: Double

        package init(left: Double, top: Double, width: Double, height: Double) {
            self.left = left
            self.top = top
            self.width = width
            self.height = height
        }

        fileprivate func overlap(_ other: Box) -> Double {
            let x = min(left + width, other.left + other.width) - max(left, other.left)
            let y = min(top + height, other.top + other.height) - max(top, other.top)
            return x > 0 && y > 0 ? x * y : 0
        }
    }

    private let frame: Box
    private var taken: [Box]

    /// - Parameter taken: what labels shall not stand on.
    package init(in frame: Box, taken: [Box]) {
        self.frame = frame
        self.taken = taken
    }

    /// The place of a label of some size for a mark at a point, which is taken from then on.
    package mutating func place(width: Double, height: Double, at x: Double, _ y: Double) -> Box {
        var best: (box: Box, cost: Double)?
        // Rings around the mark; what is farther needs a line to it, which costs as well.
        for (ring, gap) in [7.0, 18, 32, 48, 66, 88, 112, 140].enumerated() {
            for (horizontal, vertical) in Self.directions {
                let box = Box(
                    left: x + horizontal * gap + (horizontal - 1) / 2 * width,
                    top: y + vertical * gap + (vertical - 1) / 2 * height, width: width,
                    height: height)
                let outside = width * height - box.overlap(frame)
                let covered = taken.reduce(0) { $0 + $1.overlap(box) }
                let cost = 4 * outside + covered + Double(ring) * 4
                if cost < best?.cost ?? .infinity { best = (box, cost) }
            }
        }
        let box = best?.box ?? Box(left: x, top: y, width: width, height: height)
        taken.append(box)
        return box
    }

    /// Right and left of the mark, below and above it, then the corners between.
    private static let directions: [(Double, Double)] = [
        (1, 0), (-1, 0), (0, 1), (0, -1), (1, 0.6), (1, -0.6), (-1, 0.6), (-1, -0.6), (0.5, 1),
        (0.5, -1), (-0.5, 1), (-0.5, -1),
    ]
}
