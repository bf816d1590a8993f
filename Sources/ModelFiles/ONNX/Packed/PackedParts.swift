internal import ONNXSchema
import PowerOfTwo

/// The tensors that hold one packed weight in an ONNX file.
struct PackedParts {
    let form: PackedForm
    let tensors: [Onnx_TensorProto]

    /// Takes a weight apart.
    init(_ weight: SmartDealWeight, _ form: PackedForm) {
        var form = form
        form.hasRowMask = weight.rowMask != nil
        form.hasGroupMask = weight.groupMask != nil
        form.hasScales = weight.scales != nil
        if case .float32 = weight.basis { form.hasFloatBasis = true }
        self.form = form
        let geometry = form.geometry

        var rows: [UInt8] = []
        var mask = BitList()
        var maskedRows = 0
        if form.hasGroupMask, form.hasRowMask { mask.append(false) }
        for group in 0..<geometry.groupCount where form.isMasked {
            let layout = RowLayout(geometry, mask: weight.mask(ofGroup: group))
            if form.hasGroupMask { rows += layout.presence(geometry).bytes }
            for filter in geometry.filters(ofGroup: group) {
                guard let bits = weight.rowMask(ofFilter: filter, layout) else {
                    maskedRows += layout.rowCount
                    continue
                }
                for row in 0..<layout.rowCount { mask.append(bits[row]) }
                maskedRows += bits.setCount
            }
        }
        let stored = form.isMasked ? maskedRows : form.filters * form.rows
        let padding = (form.storedRows(stored) - stored) * geometry.nibbles
        let symbols = PlainSymbols.bytes(of: weight, padding: padding)
        func name(_ suffix: String) -> String { form.prefix + "/" + suffix }
        var tensors = [Onnx_TensorProto.raw(name("symbols"), .uint8, [symbols.count], symbols)]
        if form.hasRowMask {
            tensors.append(.raw(name("mask"), .uint8, [mask.bytes.count], mask.bytes))
        }
        if form.hasGroupMask {
            tensors.append(.raw(name("rows"), .uint8, form.rowsShape, rows))
        }
        if form.hasPositions, let bytes = weight.groupMask {
            tensors.append(.raw(name("positions"), .uint8, form.positionsShape, bytes))
        }
        switch weight.basis {
        case .int8(let elements):
            tensors.append(
                .raw(
                    name("basis"), .int8, form.basisShape,
                    elements.map { UInt8(bitPattern: $0) }))
        case .float32(let elements):
            tensors.append(
                .raw(
                    name("basis"), .float, form.basisShape,
                    WeightConversion.bytes(from: elements, as: .f32)))
        }
        if let scales = weight.scales {
            var bytes = scales.halves.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
            let count = form.runs * form.filtersPerRun * form.slices
            bytes += [UInt8](repeating: 0, count: (count - scales.halves.count) * 2)
            tensors.append(.raw(name("scales"), .float16, form.scalesShape, bytes))
        }
        self.tensors = tensors
    }

    /// Finds the tensors of a weight.
    ///
    /// - Parameter find: the initializer of a name.
    /// - Throws: ``ModelFileError`` `.invalidPackedWeight` when one is missing or of another type or
    ///   size than the description asks for.
    init(finding form: PackedForm, path: String, _ find: (String) -> Onnx_TensorProto?) throws {
        func invalid(_ message: String) -> ModelFileError {
            .invalidPackedWeight(message, path: path, tensor: form.name)
        }
        guard PackedForm.fits(form.geometry) else {
            throw invalid("shape \(form.geometry.shape) has more weights than an ONNX file can")
        }
        var form = form
        var tensors: [Onnx_TensorProto] = []
        func part(_ suffix: String, _ types: Onnx_TensorProto.DataType...) throws -> Bool {
            guard let tensor = find(form.prefix + "/" + suffix) else { return false }
            let type = Onnx_TensorProto.DataType(rawValue: Int(tensor.dataType))
            guard let type, types.contains(type) else {
                throw invalid("'\(tensor.name)' has an unexpected element type")
            }
            guard tensor.dataLocation == .default, tensor.hasRawData else {
                throw invalid("'\(tensor.name)' has its elements elsewhere than in raw_data")
            }
            tensors.append(tensor)
            return true
        }
        func shape(_ expected: [Int], bytes: Int) throws {
            guard let tensor = tensors.last else { return }
            let count = expected.reduce((1, false)) { product, factor in
                let next = product.0.multipliedReportingOverflow(by: factor)
                return (next.partialValue, product.1 || next.overflow)
            }
            guard tensor.dims.map({ Int($0) }) == expected, !count.1,
                tensor.rawData.count == count.0.multipliedReportingOverflow(by: bytes).partialValue
            else {
                throw invalid(
                    "'\(tensor.name)' has \(tensor.rawData.count) bytes and the shape "
                        + "\(tensor.dims), expected \(expected)")
            }
        }
        guard try part("symbols", .uint8) else {
            throw invalid("the file has no '\(form.prefix)/symbols'")
        }
        try shape([tensors[0].rawData.count], bytes: 1)
        if try part("mask", .uint8) {
            form.hasRowMask = true
            try shape([tensors[tensors.count - 1].rawData.count], bytes: 1)
        }
        if try part("rows", .uint8) {
            form.hasGroupMask = true
            try shape(form.rowsShape, bytes: 1)
        }
        if form.hasPositions {
            guard try part("positions", .uint8) else {
                throw invalid("the file has no '\(form.prefix)/positions'")
            }
            try shape(form.positionsShape, bytes: 1)
        }
        guard try part("basis", .int8, .float) else {
            throw invalid("the file has no '\(form.prefix)/basis'")
        }
        form.hasFloatBasis =
            tensors.last?.dataType == Int32(Onnx_TensorProto.DataType.float.rawValue)
        try shape(form.basisShape, bytes: form.hasFloatBasis ? 4 : 1)
        if try part("scales", .float16) {
            form.hasScales = true
            try shape(form.scalesShape, bytes: 2)
        }
        self.form = form
        self.tensors = tensors
    }

    /// Puts the weight together.
    ///
    /// - Throws: ``ModelFileError`` `.invalidPackedWeight`.
    func weight(path: String) throws -> SmartDealWeight {
        func invalid(_ message: String) -> ModelFileError {
            .invalidPackedWeight(message, path: path, tensor: form.name)
        }
        func bytes(_ suffix: String) -> [UInt8]? {
            tensors.first { $0.name == form.prefix + "/" + suffix }.map { Array($0.rawData) }
        }
        let geometry = form.geometry
        let symbols = bytes("symbols") ?? []
        let groupMask = form.positionsAreRows ? bytes("rows") : bytes("positions")
        let rows = bytes("rows")
        let fileMask = bytes("mask")
        // Without masks the count is known, and is checked before any loop over filters.
        func check(stored: Int) throws {
            let expected = form.storedRows(stored) * geometry.nibbles / 2
            guard symbols.count == expected else {
                throw invalid("expected \(expected) bytes of symbols, found \(symbols.count)")
            }
        }
        if !form.isMasked { try check(stored: form.filters * form.rows) }
        if let fileMask, !form.hasGroupMask, fileMask.count != (form.filters * form.rows + 7) / 8 {
            throw invalid("the row mask has \(fileMask.count) bytes")
        }

        var rowMask: [UInt8] = []
        var counts = SliceCounts()
        var bit = form.hasGroupMask && form.hasRowMask ? 1 : 0
        for group in 0..<geometry.groupCount where form.isMasked {
            let mask = groupMask.map { bytes in
                let stride = geometry.groupMaskStride
                return BitMask(
                    count: geometry.positionCount,
                    bytes: bytes[(group * stride)..<((group + 1) * stride)])
            }
            let layout = RowLayout(geometry, mask: mask)
            if let rows {
                let stride = form.rowsShape[2]
                let found = rows[(group * stride)..<((group + 1) * stride)]
                guard found.elementsEqual(layout.presence(geometry).bytes) else {
                    throw invalid("the rows of group \(group) are not those of its mask")
                }
            }
            for _ in geometry.filters(ofGroup: group) {
                guard let fileMask else {
                    counts.append(layout.rowsOfSlice)
                    continue
                }
                guard bit + layout.rowCount <= fileMask.count * 8 else {
                    throw invalid("the row mask has only \(fileMask.count) bytes")
                }
                var own = BitMask(count: layout.rowCount)
                for row in 0..<layout.rowCount
                where fileMask[(bit + row) >> 3] >> UInt8((bit + row) & 7) & 1 != 0 {
                    own[row] = true
                }
                bit += layout.rowCount
                rowMask += own.bytes
                counts.append(layout.rowsOfSlice, own)
            }
        }
        if let fileMask, fileMask.count != (bit + 7) / 8 {
            throw invalid("the row mask has \(fileMask.count) bytes, expected \((bit + 7) / 8)")
        }
        if form.isMasked { try check(stored: counts.total) }
        if form.hasGroupMask, form.hasRowMask, (fileMask?.first ?? 0) & 1 != 0 {
            throw invalid("the first bit of the row mask is set")
        }
        let packed = symbols.withUnsafeBytes { bytes in
            PlainSymbols.packed(bytes, geometry: geometry) { body in
                if form.isMasked {
                    for count in counts.values { body(Int(count)) }
                } else {
                    let layout = RowLayout(geometry, mask: nil)
                    for _ in 0..<form.filters { layout.rowsOfSlice.forEach(body) }
                }
            }
        }
        do {
            return try SmartDealWeight(
                geometry: geometry, alphabet: form.description.alphabet, symbols: packed,
                rowMask: form.hasRowMask ? rowMask : nil, groupMask: groupMask, basis: basis(),
                scales: scales())
        } catch let error as PowerOfTwoError {
            throw invalid(error.message)
        }
    }

    private func basis() -> Basis {
        let tensor = tensors.first { $0.name == form.prefix + "/basis" }
        return (tensor?.rawData ?? .init()).withUnsafeBytes { bytes in
            form.hasFloatBasis
                ? .float32(WeightConversion.floats(from: bytes, as: .f32))
                : .int8(bytes.map { Int8(bitPattern: $0) })
        }
    }

    private func scales() throws -> FilterScales? {
        guard let tensor = tensors.first(where: { $0.name == form.prefix + "/scales" }) else {
            return nil
        }
        let bytes = Array(tensor.rawData)
        let halves = (0..<(form.filters * form.slices)).map {
            UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8
        }
        return try FilterScales(halves: halves, exponent: form.description.scaleExponent)
    }
}

/// The stored rows of each slice of each filter.
private struct SliceCounts {
    private(set) var values: [Int32] = []
    private(set) var total = 0

    mutating func append(_ rows: [Int]) {
        for count in rows {
            values.append(Int32(count))
            total += count
        }
    }

    mutating func append(_ rows: [Int], _ mask: BitMask) {
        var first = 0
        for present in rows {
            let stored = (first..<(first + present)).count { mask[$0] }
            values.append(Int32(stored))
            total += stored
            first += present
        }
    }
}

/// Bits one after another, the lowest of a byte first.
private struct BitList {
    private(set) var bytes: [UInt8] = []
    private var count = 0

    mutating func append(_ bit: Bool) {
        if count & 7 == 0 { bytes.append(0) }
        if bit { bytes[bytes.count - 1] |= 1 << UInt8(count & 7) }
        count += 1
    }
}

extension RowLayout {
    /// A bit for each row of the geometry's layout, set when it may be stored.
    fileprivate func presence(_ geometry: WeightGeometry) -> BitMask {
        var bits = BitMask(count: geometry.rowCount)
        if let presentRows {
            for row in presentRows { bits[row] = true }
        } else {
            for row in 0..<rowCount { bits[row] = true }
        }
        return bits
    }
}
