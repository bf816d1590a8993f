import Foundation
internal import ONNXSchema

/// The operators that rebuild packed weights in any ONNX runtime, and the small constants that
/// they need, shared by all weights of a file.
///
/// Only operators that mean the same in all operator sets from 11 on are used. With T the table
/// of all pairs of symbols, a weight is
///
///     Reshape(MatMul(Reshape(Gather(T, Cast(symbols))), Cast(basis)) * Cast(scales) * 2^e)
///
/// and, where rows are dropped, `Gather` with an index that the running sum of the mask's bits
/// gives puts the rows that are stored into their places between rows of zeros. With an int8 basis
/// the products are exact, so that the result has the bits of ``SmartDealWeight/rebuilt()``; with
/// a float basis sums may be taken in another order, within rank · 2^-23 of the sum of magnitudes.
struct PackedGraph {
    private(set) var nodes: [Onnx_NodeProto] = []
    private(set) var constants: [Onnx_TensorProto] = []
    private let prefix: String
    private var known = Set<String>()

    /// - Parameter prefix: what all names of values begin with.
    init(prefix: String) {
        self.prefix = prefix + "/"
    }

    /// Appends the operators that give `form.name` from the tensors of the form.
    mutating func append(_ form: PackedForm) {
        let geometry = form.geometry
        let (filters, rows, rank) = (form.filters, form.rows, form.rank)
        let runFilters = form.runs * form.filtersPerRun
        let slots = form.slices * form.rowsPerSlice
        func own(_ name: String) -> String { form.prefix + "/" + name }

        var x = node("Cast", [own("symbols")], own("si"), [.to(.int32)])
        x = node("Gather", [pairTable(form), x], own("s"))
        if form.isMasked {
            let index = rowIndex(form)
            x = node("Reshape", [x, integers([-1, rank])], own("sr"))
            x = node("Pad", [x, integers([1, 0, 0, 0])], own("sz"))
            x = node("Gather", [x, index], own("c"))
        } else if filters * rows * geometry.nibbles % 2 != 0 {
            x = node("Reshape", [x, integers([-1, rank])], own("sr"))
            x = node("Slice", [x, integers([0]), integers([filters * rows])], own("c"))
        }
        if runFilters != filters || slots != rows {
            x = node("Reshape", [x, integers([filters, rows, rank])], own("cr"))
            let pads = [0, 0, 0, runFilters - filters, slots - rows, 0]
            x = node("Pad", [x, integers(pads)], own("cp"))
        }
        let shape = [form.runs, form.filtersPerRun, form.slices, form.rowsPerSlice, rank]
        x = node("Reshape", [x, integers(shape)], own("cs"))
        var basis = own("basis")
        if !form.hasFloatBasis { basis = node("Cast", [basis], own("b"), [.to(.float)]) }
        x = node("MatMul", [x, basis], own("w"))
        if form.hasScales {
            x = node("Mul", [x, scales(form)], own("ws"))
        }
        if runFilters != filters || slots * geometry.width != geometry.filterLength {
            x = node("Reshape", [x, integers([runFilters, slots * geometry.width])], own("wr"))
            let ends = integers([filters, geometry.filterLength])
            x = node("Slice", [x, integers([0, 0]), ends], own("wt"))
        }
        if form.hasPositions {
            let index = positionIndex(form)
            let shape = [filters, geometry.positionCount, geometry.unit]
            x = node("Reshape", [x, integers(shape)], own("wu"))
            x = node("Pad", [x, integers([0, 1, 0, 0, 0, 0])], own("wz"))
            x = node("GatherElements", [x, index], own("wg"), [.integer("axis", 1)])
        }
        finish(x, form)
    }

    /// The shape, the transpose and the type that the model wants; the last node gives the name.
    private mutating func finish(_ value: String, _ form: PackedForm) {
        var steps: [(String, [String], [Onnx_AttributeProto])] = [
            ("Reshape", [integers(form.geometry.shape)], [])
        ]
        if form.description.isTransposed {
            steps.append(("Transpose", [], [.integers("perm", [1, 0])]))
        }
        switch form.description.elementType {
        case .f16: steps.append(("Cast", [], [.to(.float16)]))
        case .bf16: steps.append(("Cast", [], [.to(.bfloat16)]))
        default: break
        }
        var x = value
        for (index, step) in steps.enumerated() {
            let output = index == steps.count - 1 ? form.name : "\(form.prefix)/o\(index)"
            x = node(step.0, [x] + step.1, output, step.2)
        }
    }

    /// The scales as floats, times their power of two.
    private mutating func scales(_ form: PackedForm) -> String {
        func own(_ name: String) -> String { form.prefix + "/" + name }
        var x = node("Cast", [own("scales")], own("f"), [.to(.float)])
        let exponent = form.description.scaleExponent
        guard exponent != 0 else { return x }
        // In two steps when a float cannot hold the power; the first one loses nothing.
        let first = abs(exponent) <= 126 ? exponent : exponent.signum() * 100
        x = node("Mul", [x, power(first)], own("fe"))
        return first == exponent ? x : node("Mul", [x, power(exponent - first)], own("ff"))
    }

    /// For each row of the layout, filter by filter: 1 + its index among stored rows, or 0.
    private mutating func rowIndex(_ form: PackedForm) -> String {
        func own(_ name: String) -> String { form.prefix + "/" + name }
        let (filters, rows) = (form.filters, form.rows)
        let axis = scalar(0)
        var mask: String
        if form.hasGroupMask {
            let (groups, perGroup, bytes) = (form.groups, form.filtersPerGroup, (rows + 7) / 8)
            mask = bits(own("rows"), own("r"))
            if perGroup > 1 {
                mask = node(
                    "Expand", [mask, integers([groups, perGroup, bytes, 8])], own("re"))
            }
            if bytes * 8 != rows || groups * perGroup != filters {
                mask = node(
                    "Reshape", [mask, integers([groups * perGroup, bytes * 8])], own("rr"))
                mask = node(
                    "Slice", [mask, integers([0, 0]), integers([filters, rows])], own("rt"))
            }
            mask = node("Reshape", [mask, integers([-1])], own("rf"))
            if form.hasRowMask {
                mask = node("Mul", [node("CumSum", [mask, axis], own("rc")), mask], own("rx"))
                let packed = bits(own("mask"), own("m"))
                let stored = node("Reshape", [packed, integers([-1])], own("mr"))
                mask = node("Gather", [stored, mask], own("mg"))
            }
        } else {
            mask = node("Reshape", [bits(own("mask"), own("m")), integers([-1])], own("mr"))
            if filters * rows % 8 != 0 {
                mask = node("Slice", [mask, integers([0]), integers([filters * rows])], own("mt"))
            }
        }
        return node("Mul", [node("CumSum", [mask, axis], own("xc")), mask], own("x"))
    }

    /// For each weight of a filter: 1 + the position whose weights it takes, or 0 where dropped.
    private mutating func positionIndex(_ form: PackedForm) -> String {
        func own(_ name: String) -> String { form.prefix + "/" + name }
        let (groups, perGroup) = (form.groups, form.filtersPerGroup)
        let (positions, unit) = (form.geometry.positionCount, form.geometry.unit)
        let padded = form.geometry.groupMaskStride * 8
        var mask = bits(own("positions"), own("p"))
        mask = node("Reshape", [mask, integers([groups, 1, padded, 1])], own("pr"))
        if padded != positions {
            let ends = integers([groups, 1, positions])
            mask = node("Slice", [mask, integers([0, 0, 0]), ends], own("pt"))
        }
        var order: String
        if form.geometry.layout == .kept {
            order = node("CumSum", [mask, scalar(2)], own("pc"))
        } else {
            let range = [scalar(1), scalar(Int32(positions + 1)), scalar(1)]
            order = node("Range", range, own("pn"))
            order = node("Reshape", [order, integers([positions, 1])], own("pc"))
        }
        order = node("Mul", [order, mask], own("px"))
        order = node("Expand", [order, integers([groups, perGroup, positions, unit])], own("pe"))
        let shape = integers([groups * perGroup, positions, unit])
        order = node("Reshape", [order, shape], own("pf"))
        guard groups * perGroup != form.filters else { return order }
        return node("Slice", [order, integers([0]), integers([form.filters])], own("pg"))
    }

    // MARK: Shared by all weights

    /// `[256, 2 c]`: the coefficients of the two symbols of each byte.
    private mutating func pairTable(_ form: PackedForm) -> String {
        let alphabet = form.description.alphabet
        let name = prefix + "alphabet/" + alphabet.name
        let pairs = name + "/pairs"
        guard !known.contains(pairs) else { return pairs }
        let c = alphabet.coefficientsPerSymbol
        var table = alphabet.coefficients.map { Float($0) }
        table += [Float](repeating: 0, count: 16 * c - table.count)
        add(
            .raw(name, .float, [16, c], WeightConversion.bytes(from: table, as: .f32)))
        let low = node("Expand", [name, integers([16, 16, c])], name + "/low")
        let high = node("Transpose", [low], name + "/high", [.integers("perm", [1, 0, 2])])
        let both = node("Concat", [low, high], name + "/both", [.integer("axis", 2)])
        return node("Reshape", [both, integers([256, 2 * c])], pairs)
    }

    /// `[256, 8]`: the bits of each byte, the lowest first.
    private mutating func bitTable() -> String {
        let name = prefix + "bits"
        guard !known.contains(name) else { return name }
        let powers = prefix + "powers"
        add(.raw(powers, .int32, [8], Self.bytes((0..<8).map { Int32(1 << $0) })))
        var x = node("Range", [scalar(0), scalar(256), scalar(1)], prefix + "bytes")
        x = node("Reshape", [x, integers([256, 1])], prefix + "column")
        x = node("Div", [x, powers], prefix + "shifted")
        return node("Mod", [x, scalar(2)], name)
    }

    private mutating func bits(_ bytes: String, _ output: String) -> String {
        let table = bitTable()
        return node("Gather", [table, node("Cast", [bytes], output + "i", [.to(.int32)])], output)
    }

    private mutating func power(_ exponent: Int) -> String {
        let name = prefix + "2^\(exponent)"
        let value = Float(sign: .plus, exponent: exponent, significand: 1)
        add(.raw(name, .float, [], WeightConversion.bytes(from: [value], as: .f32)))
        return name
    }

    private mutating func scalar(_ value: Int32) -> String {
        let name = prefix + "i\(value)"
        add(.raw(name, .int32, [], Self.bytes([value])))
        return name
    }

    /// A shape or the like: its numbers are its name.
    private mutating func integers(_ values: [Int]) -> String {
        let name = prefix + values.map(String.init).joined(separator: ",")
        add(.raw(name, .int64, [values.count], Self.bytes(values.map { Int64($0) })))
        return name
    }

    private mutating func add(_ constant: Onnx_TensorProto) {
        if known.insert(constant.name).inserted { constants.append(constant) }
    }

    private mutating func node(
        _ type: String, _ inputs: [String], _ output: String,
        _ attributes: [Onnx_AttributeProto] = []
    ) -> String {
        var node = Onnx_NodeProto()
        node.opType = type
        node.input = inputs
        node.output = [output]
        node.attribute = attributes
        nodes.append(node)
        known.insert(output)
        return output
    }

    private static func bytes<I: FixedWidthInteger>(_ values: [I]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    }
}

extension Onnx_TensorProto {
    /// A tensor with its elements as little-endian bytes.
    static func raw(
        _ name: String, _ type: DataType, _ shape: [Int], _ bytes: [UInt8]
    ) -> Onnx_TensorProto {
        var tensor = Onnx_TensorProto()
        tensor.name = name
        tensor.setRaw(type, shape, bytes)
        return tensor
    }

    /// Gives it another type, shape and elements.
    mutating func setRaw(_ type: DataType, _ shape: [Int], _ bytes: [UInt8]) {
        dims = shape.map { Int64($0) }
        dataType = Int32(type.rawValue)
        rawData = Data(bytes)
        floatData = []
        int32Data = []
        int64Data = []
        doubleData = []
        uint64Data = []
        externalData = []
        clearDataLocation()
    }
}

extension Onnx_AttributeProto {
    fileprivate static func to(_ type: Onnx_TensorProto.DataType) -> Onnx_AttributeProto {
        integer("to", type.rawValue)
    }

    fileprivate static func integer(_ name: String, _ value: Int) -> Onnx_AttributeProto {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .int
        attribute.i = Int64(value)
        return attribute
    }

    fileprivate static func integers(_ name: String, _ values: [Int]) -> Onnx_AttributeProto {
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        attribute.type = .ints
        attribute.ints = values.map { Int64($0) }
        return attribute
    }
}
