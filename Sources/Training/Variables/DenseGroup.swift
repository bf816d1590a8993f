internal import PowerOfTwo

/// The dense filters of one group, where the tensor of a network may be the transpose: then filters
/// are columns there, and a copy here has them one after another.
final class DenseGroup {
    private let filters: Range<Int>
    private let length: Int
    private let filterCount: Int
    private let copy: UnsafeMutablePointer<Float>?

    init(_ geometry: WeightGeometry, _ filters: Range<Int>, isTransposed: Bool) {
        self.filters = filters
        length = geometry.filterLength
        filterCount = geometry.filterCount
        copy = isTransposed ? .allocate(capacity: filters.count * length) : nil
    }

    deinit { copy?.deallocate() }

    /// Where the weights of a filter are, one after another.
    func filter(
        _ filter: Int, of tensor: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        copy.map { $0 + (filter - filters.lowerBound) * length } ?? tensor + filter * length
    }

    /// Fills the copy.
    func takeTransposed(from tensor: UnsafePointer<Float>) {
        guard let copy else { return }
        for i in 0..<length {
            for (index, filter) in filters.enumerated() {
                copy[index * length + i] = tensor[i * filterCount + filter]
            }
        }
    }

    /// Writes the copy.
    func putTransposed(into tensor: UnsafeMutablePointer<Float>) {
        guard let copy else { return }
        for i in 0..<length {
            for (index, filter) in filters.enumerated() {
                tensor[i * filterCount + filter] = copy[index * length + i]
            }
        }
    }
}
