/// How the elements of samples lie in memory: `[samples / lanes, elements, lanes]`.
///
/// With one lane each sample lies together, in any order of its elements; with 16 the images of
/// a batch lie side by side; with as many as there are samples these are the columns of a matrix.
package struct SampleLayout: Sendable, Equatable {
    /// Images of a batch, filters of a weight.
    package let samples: Int
    /// Elements of each.
    package let elements: Int
    package let lanes: Int

    package init(samples: Int, elements: Int, lanes: Int = 1) {
        precondition(
            samples > 0 && elements > 0 && lanes > 0 && samples % lanes == 0,
            "\(samples) samples of \(elements) in \(lanes) lanes")
        self.samples = samples
        self.elements = elements
        self.lanes = lanes
    }

    var count: Int { samples * elements }
    /// Groups of `lanes` samples, one after another.
    var blocks: Int { samples / lanes }
    /// Elements of a block.
    var blockCount: Int { elements * lanes }
}
