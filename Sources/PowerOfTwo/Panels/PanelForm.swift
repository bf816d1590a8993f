/// How panels are made: 8 quads of filters side by side, see `sdk_panels` in shift_kernels.h.
package struct PanelForm: Sendable, Equatable {
    /// Bytes of one symbol of every row of a step.
    package static let planeBytes = 64
    /// Scales of a run of a panel; filters of small quads have their scale more than once.
    package static let scaleCount = 32

    /// Symbols a row (n).
    package let nibbles: Int
    /// Weights a row (S).
    package let width: Int
    /// Filters that stand in one quad and share their tables (F): 1, 2 or 4.
    package let filtersPerQuad: Int
    /// Quads with tables of their own: 8, or 1 when a panel shares them.
    package let quads: Int

    package init(nibbles: Int, width: Int, filtersPerQuad: Int, quads: Int) {
        self.nibbles = nibbles
        self.width = width
        self.filtersPerQuad = filtersPerQuad
        self.quads = quads
    }

    init(_ geometry: WeightGeometry) {
        let shared = geometry.filtersPerBasis
        self.init(
            nibbles: geometry.nibbles, width: geometry.width, filtersPerQuad: min(shared, 4),
            quads: shared == WeightGeometry.groupSize ? 1 : 8)
    }

    /// Filters of a panel.
    package var filters: Int { 8 * filtersPerQuad }
    /// Rows of each filter in a step (R).
    package var rowsPerStep: Int { 16 / filtersPerQuad }
    /// Bytes of the symbols of a step.
    package var stepBytes: Int { nibbles * Self.planeBytes }
    /// Bytes of the tables of a run of a panel.
    package var tableBytes: Int { nibbles * width * quads * Alphabet.capacity }
    /// Steps that so many rows take.
    package func steps(rows: Int) -> Int { (rows + rowsPerStep - 1) / rowsPerStep }
}
