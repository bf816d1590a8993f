import func Foundation.log2

/// What reading, writing and computing cost, in pJ, each with its source.
public struct EnergyTable: Sendable, Equatable {
    /// A price.
    public struct Row: Sendable, Equatable {
        /// pJ a byte, or an operation.
        public let picojoules: Double
        public let source: String
    }

    /// What a byte of a buffer on the chip costs, by the size of its macro.
    public struct BufferRow: Sendable, Equatable {
        public let bytes: Double
        public let read: Double
        public let write: Double
        public let source: String
    }

    public let name: String
    public let about: String
    public let rows: [EnergyUnit: Row]
    /// By rising size.
    public let buffers: [BufferRow]
    /// Prices that were chosen to fit.
    public let calibrations: [CalibratedParameter]

    /// pJ of a byte or an operation. A MAC without a row of its own is its multiplication and
    /// addition.
    ///
    /// - Throws: ``AcceleratorError`` `.missingUnit`.
    public func energy(_ unit: EnergyUnit) throws -> Double {
        if let row = rows[unit] { return row.picojoules }
        if case .mac(let bits) = unit, let multiply = rows[.multiply(bits)],
            let add = rows[.add(bits)]
        {
            return multiply.picojoules + add.picojoules
        }
        throw AcceleratorError(
            .missingUnit,
            [
                "the energy table has no row '\(unit.name)', it has "
                    + rows.keys.map(\.name).sorted().joined(separator: ", ")
            ], path: name)
    }

    /// pJ a byte of a buffer whose banks have `bytes` bytes: between rows along the logarithm of
    /// the size, beyond them as the nearest.
    ///
    /// - Throws: ``AcceleratorError`` `.missingUnit` for a table without buffers.
    public func buffer(bytes: Double) throws -> (read: Double, write: Double) {
        guard let first = buffers.first, let last = buffers.last else {
            throw AcceleratorError(
                .missingUnit, ["the energy table has no row 'sram'"], path: name)
        }
        guard let upper = buffers.firstIndex(where: { $0.bytes >= bytes }) else {
            return (last.read, last.write)
        }
        guard upper > 0 else { return (first.read, first.write) }
        let (below, above) = (buffers[upper - 1], buffers[upper])
        let part = log2(bytes / below.bytes) / log2(above.bytes / below.bytes)
        return (
            below.read + part * (above.read - below.read),
            below.write + part * (above.write - below.write)
        )
    }
}
