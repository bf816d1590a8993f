internal import DensePrimitives
internal import DenseMath
internal import Networks
internal import PowerOfTwo

/// Turns merged operators into steps: chooses primitives and the layouts of values.
struct PlanBuilder {
    /// A step whose memory is not yet placed.
    struct Draft {
        let step: ExecutionPlan.Step
        let scratchBytes: Int
        /// Gives what runs it, once all buffers have their addresses.
        let bind: (_ scratch: UnsafeMutableRawPointer) throws -> ExecutionPlan.Action
    }

    var graph: PlanGraph
    /// What is kept as bytes; nil when all is floats.
    let bytes: ByteValues?
    let kernels: KernelChoice
    let rebuilding: Rebuilding
    /// Threads that steps run on.
    let threads: Int
    /// Bytes of weights that steps of our own keep, other than ``packedSources``.
    var packedByteCount = 0
    /// Bytes of the parameters that stay packed, by name.
    var packedSources: [String: Int] = [:]
    /// The most bytes of weights that are rebuilt at a time while the plan runs.
    var rebuiltByteCount = 0
    /// Whether convolutions of floats are computed at kept positions only: images then have channels
    /// last throughout.
    var hasSparseConvolutions = false
    private(set) var drafts: [Draft] = []
    /// What moves in the arena.
    private(set) var buffers: [PlanBuffer] = []
    /// Weights and other constants, which the plan has to keep.
    private(set) var constants: [PlanMemory] = []
    let stream: OneDNNStream
    /// Every place of every value; the first is where it was computed.
    private var places: [String: [PlacedValue]] = [:]
    /// Constants in the layouts that primitives take them in, and how their elements were seen.
    private var reorderedWeights: [String: [(source: Layout, place: PlacedValue)]] = [:]
    /// How many operators have yet to read a value.
    private var remaining: [String: Int]
    /// The operator being lowered.
    private var current = PlanGraph.Operator(
        name: "", operation: .matMul, inputs: [], outputs: [])

    init(
        _ graph: PlanGraph, bytes: ByteValues?, kernels: KernelChoice,
        rebuilding: Rebuilding, inputs: [Network.Input], threads: Int, stream: OneDNNStream
    ) throws {
        self.graph = graph
        self.kernels = kernels
        self.rebuilding = rebuilding
        self.threads = threads
        self.bytes = bytes
        self.stream = stream
        remaining = graph.useCounts()
        for input in inputs {
            guard let info = graph.info[input.name] else { continue }
            _ = try define(input.name, plain: info)
        }
        for buffer in buffers { buffer.use(at: 0) }
        try findSparseConvolutions()
        for item in graph.operators {
            current = item
            for value in item.reads { remaining[value, default: 0] -= 1 }
            try lower(item)
        }
    }

    // MARK: Values

    /// A value in any layout it has.
    mutating func read(_ value: String) throws -> PlacedValue {
        if let place = places[value]?.first(where: { $0.scale == nil }) { return place }
        if let place = places[value]?.first {
            let shape = place.shape
            let isPlain = try place.layout == Layout(plain: shape, .byte)
            return try reordered(
                place, value: value,
                to: isPlain ? Layout(plain: shape) : Layout(channelsLast: shape, .float))
        }
        if let source = streamedSource(value) {
            let plain = try Layout(plain: source.parameter.shape)
            return try streamed(source, seenAs: plain, in: plain)
        }
        guard let tensor = graph.parameters[value]?.tensor else {
            throw NetworkError(.undefinedValue, "'\(value)' is not known", node: current.name)
        }
        let memory = try constant(tensor.count * tensor.kind.byteCount)
        tensor.withBytes { bytes in
            if let from = bytes.baseAddress {
                memory.start.copyMemory(from: from, byteCount: bytes.count)
            }
        }
        let place = PlacedValue(
            shape: tensor.shape, elementType: graph.known(value).elementType,
            layout: try Layout(plain: tensor.shape), buffer: PlanBuffer(memory))
        places[value] = [place]
        return place
    }

    /// A value in the given layout of floats; reordered once if it lies in none such.
    mutating func read(_ value: String, as layout: Layout) throws -> PlacedValue {
        let known = places[value] ?? []
        if let match = known.first(where: { $0.layout == layout }) { return match }
        let place = try known.first { $0.scale == nil } ?? known.first ?? read(value)
        return place.layout == layout ? place : try reordered(place, value: value, to: layout)
    }

    /// A value with its elements row-major.
    mutating func readPlain(_ value: String) throws -> PlacedValue {
        let place = try places[value]?.first ?? read(value)
        guard place.elementType == .float32 else { return place }
        let plain = try Layout(plain: place.shape)
        return place.layout == plain ? place : try read(value, as: plain)
    }

    /// A value as bytes in the given layout; rounded or reordered once if it lies in none such.
    ///
    /// - Parameter scale: what the bytes stand for; any when left out.
    mutating func readBytes(
        _ value: String, as layout: Layout, at scale: ByteScale? = nil
    ) throws -> PlacedValue {
        let known = (places[value] ?? []).filter { $0.scale != nil }
        let fitting = known.filter { scale == nil || $0.scale == scale }
        if let match = fitting.first(where: { $0.layout == layout }) { return match }
        let place = try fitting.first ?? known.first ?? read(value)
        guard let scale = scale ?? place.scale ?? bytes?.scale(of: value) else {
            throw OneDNN.Failure(what: "bytes of '\(value)', whose range is not known", status: 0)
        }
        // Without extent beside its channels, a value lies the same in both orders.
        if place.scale == scale, place.shape.dropFirst(2).allSatisfy({ $0 == 1 }) {
            return place.seen(as: layout)
        }
        return try reordered(place, value: value, to: layout, scale)
    }

    /// What the bytes stand for that ``readBytes(_:as:at:)`` would give.
    func scaleOfBytes(_ value: String) -> ByteScale? {
        places[value]?.lazy.compactMap(\.scale).first ?? bytes?.scale(of: value)
    }

    /// A constant of `layout`'s sizes whose elements are a parameter's, found at `strides` in it.
    /// Reordered now, not when the plan runs.
    mutating func weights(
        _ value: String, seenAs source: Layout, in layout: Layout
    ) throws -> PlacedValue {
        if let packed = streamedSource(value) {
            return try streamed(packed, seenAs: source, in: layout)
        }
        let known = reorderedWeights[value, default: []]
        if let match = known.first(where: { $0.source == source && $0.place.layout == layout }) {
            return match.place
        }
        guard let tensor = graph.parameters[value]?.tensor else {
            throw NetworkError(.undefinedValue, "'\(value)' is no constant", node: current.name)
        }
        let place = try tensor.withBytes {
            try constant(of: $0, seenAs: source, in: layout, named: value)
        }
        reorderedWeights[value, default: []].append((source, place))
        return place
    }

    /// A constant with the given elements, found at the strides of `source`, in `layout`.
    mutating func constant(
        of elements: UnsafeRawBufferPointer, seenAs source: Layout, in layout: Layout,
        named name: String
    ) throws -> PlacedValue {
        let memory = try constant(layout.byteCount)
        let primitive = try Primitive.reorder(from: source, to: layout)
        let scratch = try PlanMemory(byteCount: primitive.scratch?.byteCount ?? 0)
        if let start = elements.baseAddress {
            let done = try primitive.bound(
                to: [
                    (.source, source, UnsafeMutableRawPointer(mutating: start)),
                    (.target, layout, memory.start),
                ], scratch: scratch.start
            ).run(on: stream)
            guard done else { throw OneDNN.Failure(what: "weights '\(name)'", status: 0) }
        }
        return PlacedValue(shape: layout.shape, layout: layout, buffer: PlanBuffer(memory))
    }

    private mutating func reordered(
        _ place: PlacedValue, value: String, to layout: Layout, _ scale: ByteScale? = nil
    ) throws -> PlacedValue {
        if place.buffer.isConstant, scale == nil {
            let source = place.layout
            return try weights(value, seenAs: source, in: layout)
        }
        let result = try copy(place, in: layout, scale)
        result.buffer.values.insert(value)
        places[value, default: []].append(result)
        return result
    }

    /// The elements of a place in another one, which is no value's yet; as bytes with `scale`.
    mutating func copy(
        _ place: PlacedValue, in layout: Layout, _ scale: ByteScale? = nil
    ) throws -> PlacedValue {
        let result = unnamed(in: layout, scale)
        let integers =
            place.scale == scale ? nil : IntegerScales(source: place.scale, target: scale)
        try emit(
            try .reorder(from: place.layout, to: layout, integers: integers),
            operation: "Reorder", [(.source, place), (.target, result)])
        return result
    }

    /// A new place that is no value's yet.
    mutating func unnamed(in layout: Layout, _ scale: ByteScale? = nil) -> PlacedValue {
        PlacedValue(
            shape: layout.shape, layout: layout, scale: scale,
            buffer: buffer(layout.byteCount, nil))
    }

    /// A new place for a value.
    mutating func define(
        _ value: String, in layout: Layout, _ scale: ByteScale? = nil
    ) -> PlacedValue {
        let place = PlacedValue(
            shape: layout.shape, layout: layout, scale: scale,
            buffer: buffer(layout.byteCount, value))
        places[value] = [place]
        return place
    }

    /// A new row-major place for a value.
    mutating func define(_ value: String, plain info: ValueInfo) throws -> PlacedValue {
        let bytes = info.shape.reduce(1, *) * info.elementType.kind.byteCount
        let place = PlacedValue(
            shape: info.shape, elementType: info.elementType,
            layout: try Layout(plain: info.shape), buffer: buffer(bytes, value))
        places[value] = [place]
        return place
    }

    /// The same memory as another value's, in a shape of its own.
    mutating func define(_ value: String, viewing place: PlacedValue, as info: ValueInfo) throws {
        place.buffer.values.insert(value)
        let layout = try Layout(plain: info.shape, place.scale == nil ? .float : .byte)
        places[value] = [
            PlacedValue(
                shape: info.shape, elementType: info.elementType, layout: layout,
                scale: place.scale, buffer: place.buffer)
        ]
    }

    /// The memory of `place` for a value that replaces all that lies there; as bytes with `scale`.
    @discardableResult
    mutating func define(
        _ value: String, replacing place: PlacedValue, shape: [Int], _ scale: ByteScale? = nil
    ) -> PlacedValue {
        place.buffer.values.insert(value)
        let result = PlacedValue(
            shape: shape, layout: place.layout, scale: scale, buffer: place.buffer)
        places[value] = [result]
        return result
    }

    /// Whether nobody reads a place's memory after the current operator.
    func isLastUse(_ place: PlacedValue) -> Bool {
        !place.buffer.isConstant
            && place.buffer.values.allSatisfy { remaining[$0, default: 0] <= 0 }
    }

    func info(_ value: String) throws -> ValueInfo {
        guard let info = graph.info[value] else {
            throw NetworkError(.undefinedValue, "'\(value)' is not known", node: current.name)
        }
        return info
    }

    /// Where the values of the network's outputs are when all steps have run, row-major.
    mutating func finalPlaces() throws -> [PlacedValue] {
        let places = try graph.outputs.map { output in
            current = PlanGraph.Operator(
                name: output.value, operation: .matMul, inputs: [], outputs: [])
            return try readPlain(output.value)
        }
        for place in places { place.buffer.use(at: drafts.count) }
        return places
    }

    func placeOfInput(_ value: String) -> PlacedValue? { places[value]?.first }

    private mutating func constant(_ byteCount: Int) throws -> PlanMemory {
        let memory = try PlanMemory(byteCount: byteCount)
        constants.append(memory)
        return memory
    }

    private mutating func buffer(_ byteCount: Int, _ value: String?) -> PlanBuffer {
        let result = PlanBuffer(byteCount: byteCount)
        if let value { result.values.insert(value) }
        buffers.append(result)
        return result
    }

    // MARK: Steps

    /// Adds a step that runs a primitive.
    mutating func emit(
        _ primitive: Primitive, operation: String? = nil, density: Double = 1,
        _ arguments: [(Primitive.Argument, PlacedValue)]
    ) throws {
        let stream = stream
        let name = current.name
        add(
            operation ?? current.operation.name, kernel: primitive.implementation,
            density: density, arguments.map(\.1), scratch: primitive.scratch?.byteCount ?? 0
        ) { scratch in
            let values = try arguments.map { argument, place in
                (argument, place.layout, try place.address())
            }
            let bound = try primitive.bound(to: values, scratch: scratch)
            return {
                guard bound.run(on: stream) else {
                    throw NetworkError(.invalidNode, "oneDNN failed to run it", node: name)
                }
            }
        }
    }

    /// Adds a step of our own.
    mutating func emit(
        kernel: String, density: Double = 1, _ values: [PlacedValue],
        _ make: @escaping (_ addresses: [UnsafeMutableRawPointer]) -> ExecutionPlan.Action
    ) {
        emit(kernel: kernel, density: density, scratch: 0, values) { addresses, _ in
            make(addresses)
        }
    }

    /// Adds a step of our own that needs memory while it runs.
    mutating func emit(
        operation: String? = nil, kernel: String, density: Double, scratch byteCount: Int,
        _ values: [PlacedValue],
        _ make:
            @escaping (
                _ addresses: [UnsafeMutableRawPointer], _ scratch: UnsafeMutableRawPointer
            ) -> ExecutionPlan.Action
    ) {
        add(
            operation ?? current.operation.name, kernel: kernel, density: density, values,
            scratch: byteCount
        ) { scratch in make(try values.map { try $0.address() }, scratch) }
    }

    private mutating func add(
        _ operation: String, kernel: String, density: Double, _ values: [PlacedValue],
        scratch: Int,
        bind: @escaping (_ scratch: UnsafeMutableRawPointer) throws -> ExecutionPlan.Action
    ) {
        for value in values { value.buffer.use(at: drafts.count) }
        drafts.append(
            Draft(
                step: ExecutionPlan.Step(
                    name: current.name, operation: operation, kernel: kernel, density: density),
                scratchBytes: scratch, bind: bind))
    }
}

extension PlacedValue {
    fileprivate func address() throws -> UnsafeMutableRawPointer {
        guard let address = buffer.address else {
            throw OneDNN.Failure(what: "a step whose memory was never placed", status: 0)
        }
        return address
    }
}
