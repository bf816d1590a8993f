import PowerOfTwo

/// How each mode cuts a weight tensor into rows and slices.
enum Slicing {
    /// Filters shorter than this get 6 bits a weight in `best` and 8 in `fast`, not 4: depthwise
    /// and first convolutions hold few bytes and lose most by rounding.
    static let shortFilter = 64
    /// Weights that share a scale in `fast`, about: one chunk of the packed form. A scale then costs
    /// an eighth of a bit a weight; without it weights with long tails had up to twice the error.
    static let scalarSlice = 128
    /// `best` shares a basis between as many filters as keep it below this many rows: measured on
    /// trained layers, longer runs gain nothing and shorter ones pay more for bases than they save.
    static let rowsPerSharedBasis = 8192

    /// Returns the geometry of a weight `[filters, ...]` under `options`.
    static func geometry(
        shape: [Int], kind: LayerKind, options: LayerOptions
    ) throws -> WeightGeometry {
        let length = shape.dropFirst().reduce(1, *)
        // Positions of the structural mask: kernel rows, or single inputs.
        let unit = kind.isConvolution && shape.count >= 3 ? shape[shape.count - 1] : 1
        if options.mode == .reference {
            let rows = authorsRows(length: length, kernelWidth: unit)
            return try WeightGeometry(
                shape: shape, unit: unit, width: rows.width, nibbles: rows.width,
                rowsPerSlice: rows.perSlice, filtersPerBasis: options.filtersPerBasis ?? 1,
                layout: .full)
        }
        let isShort = length < shortFilter
        let width: Int
        let nibbles: Int
        if options.mode == .fast {
            width = 1
            nibbles = options.nibbles ?? (isShort ? 2 : 1)
        } else {
            width = min(options.basisWidth ?? (isShort ? 2 : 3), length)
            nibbles = options.nibbles ?? 3
        }
        let rows = (length + width - 1) / width
        if options.mode == .fast, nibbles == 1 {
            let slices = max(1, (rows + scalarSlice / 2) / scalarSlice)
            return try WeightGeometry(
                shape: shape, unit: unit, width: 1, nibbles: 1,
                rowsPerSlice: (rows + slices - 1) / slices,
                filtersPerBasis: options.filtersPerBasis ?? WeightGeometry.groupSize,
                layout: .kept)
        }
        var shared = WeightGeometry.groupSize
        while shared > 1, shared * rows > rowsPerSharedBasis { shared /= 2 }
        return try WeightGeometry(
            shape: shape, unit: unit, width: width, nibbles: nibbles, rowsPerSlice: rows,
            filtersPerBasis: options.filtersPerBasis ?? shared, layout: .kept)
    }

    /// The authors' slicing: rows as wide as the kernel (3 when that is 1) and slices of at most
    /// 64 times the width in rows.
    ///
    /// A filter with fewer rows than columns is cut into narrower rows, so that every slice is
    /// tall.
    static func authorsRows(length: Int, kernelWidth: Int) -> (width: Int, perSlice: Int) {
        let isWide = kernelWidth > WeightGeometry.largestWidth
        let widest = kernelWidth == 1 || isWide ? 3 : kernelWidth
        var width = widest
        if length < width * width {
            width = min(3, width)
            while width > 1, (length + width - 1) / width < width { width -= 1 }
        }
        let rows = (length + width - 1) / width
        if kernelWidth == 1, width == 3, let listed = listedSlices[length] {
            return (width, listed)
        }
        return (width, divisorRows(rows, limit: 64 * width))
    }

    /// Rows of a slice for the input sizes that the authors list: even slices, the last padded.
    private static let listedSlices = [
        4096: 171, 2048: 171, 1280: 143, 1024: 171, 960: 160, 576: 192, 512: 171, 384: 128,
        320: 107, 256: 86, 192: 64, 160: 54, 144: 48, 128: 43, 96: 32, 64: 22, 32: 11, 24: 8, 16: 6,
    ]

    /// All rows when they are within `limit`; otherwise the largest product of the last prime
    /// factors that is, and even slices when there is none.
    private static func divisorRows(_ rows: Int, limit: Int) -> Int {
        guard rows > limit else { return rows }
        var rest = rows
        var quotient = rows
        var factor = 2
        while quotient > 1 {
            if factor * factor > quotient { factor = quotient }
            while quotient % factor == 0 {
                quotient /= factor
                rest /= factor
                if rest <= limit, rest > 1 { return rest }
            }
            factor += 1
        }
        let slices = (rows + limit - 1) / limit
        return (rows + slices - 1) / slices
    }
}
