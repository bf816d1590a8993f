internal import DensePrimitives
internal import Networks

/// A plan while its steps are lowered: buffers, and what is done at each time.
///
/// Time counts the forward steps, the loss, then the backward steps.
struct PlanDraft {
    typealias Action = () throws -> Void
    /// Makes an action once addresses are known.
    typealias Binding = () throws -> Action

    /// The gradient of a value so far.
    struct Gradient {
        var buffer: PlanBuffer
        /// Whether nothing else needs what the buffer holds.
        var isExclusive: Bool
    }

    let graph: TrainingGraph
    let threads: Int
    let stream: OneDNNStream
    /// The time that is being lowered.
    private(set) var time = 0
    private(set) var bindings: [[Binding]] = [[]]
    private(set) var buffers: [PlanBuffer] = []
    private(set) var constants: [PlanMemory] = []
    private(set) var gradients: [Int: Gradient] = [:]
    /// Where values lie; constants and kept variables from the beginning.
    private var places: [Int: PlanBuffer] = [:]
    /// Layouts by shape and order, made once.
    private var layouts: [LayoutKey: Layout] = [:]

    private struct LayoutKey: Hashable {
        let shape: [Int]
        let order: Int
    }

    init(graph: TrainingGraph, threads: Int) throws {
        self.graph = graph
        self.threads = threads
        stream = try OneDNNStream()
    }

    // MARK: Time

    mutating func nextTime() {
        time += 1
        bindings.append([])
    }

    /// Adds something to do at this time.
    mutating func emit(_ binding: @escaping Binding) { bindings[time].append(binding) }

    // MARK: Memory

    /// Memory that is used at this time, and whenever ``use(_:)`` says so.
    mutating func buffer(bytes: Int) -> PlanBuffer {
        let buffer = PlanBuffer(byteCount: bytes)
        buffer.use(at: time)
        buffers.append(buffer)
        return buffer
    }

    func use(_ buffer: PlanBuffer) { buffer.use(at: time) }

    /// Memory that stays.
    mutating func constant(bytes: Int) throws -> PlanBuffer {
        let memory = try PlanMemory(byteCount: bytes)
        constants.append(memory)
        return PlanBuffer(memory)
    }

    // MARK: Values

    func value(_ number: Int) -> TrainingGraph.Value { graph.values[number] }

    func count(_ number: Int) -> Int { graph.values[number].shape.reduce(1, *) }

    /// Bytes of a value of floats.
    func bytes(_ number: Int) -> Int { count(number) * MemoryLayout<Float>.stride }

    /// Memory for a result of the step that is being lowered.
    mutating func define(_ number: Int) -> PlanBuffer {
        let buffer = buffer(bytes: bytes(number))
        places[number] = buffer
        return buffer
    }

    /// A result that lies where an operand does.
    mutating func define(_ number: Int, as buffer: PlanBuffer) {
        use(buffer)
        places[number] = buffer
    }

    /// Where a value is, for use at this time. A variable that is not kept dense is written first.
    mutating func read(_ number: Int) throws -> PlanBuffer {
        if let place = places[number] {
            use(place)
            return place
        }
        switch graph.values[number].origin {
        case .variable(let variable):
            if let memory = variable.storage {
                let place = PlanBuffer(memory)
                places[number] = place
                return place
            }
            let buffer = buffer(bytes: bytes(number))
            let threads = threads
            emit {
                let address = try buffer.floats()
                return { variable.write(to: address, threads: threads) }
            }
            return buffer
        case .constant(let tensor):
            let place = try constant(bytes: tensor.count * tensor.kind.byteCount)
            if let address = place.address {
                tensor.withBytes { bytes in
                    if let start = bytes.baseAddress {
                        address.copyMemory(from: start, byteCount: bytes.count)
                    }
                }
            }
            places[number] = place
            return place
        case .input:
            return define(number)
        case .step:
            preconditionFailure("'\(graph.values[number].name)' is used before it is computed")
        }
    }

    // MARK: Layouts

    private mutating func layout(
        _ key: LayoutKey, _ make: () throws -> Layout
    ) rethrows -> Layout {
        if let known = layouts[key] { return known }
        let layout = try make()
        layouts[key] = layout
        return layout
    }

    /// Row-major.
    mutating func plain(_ shape: [Int]) throws -> Layout {
        try layout(LayoutKey(shape: shape, order: 0)) { try Layout(plain: shape) }
    }

    /// All elements of a value in a row, whatever their order.
    mutating func flat(_ number: Int) throws -> Layout { try plain([count(number)]) }

    /// A value as oneDNN sees it; of one in lanes a lane is a column of the images, which is the
    /// same to operations that do not look at neighbours.
    mutating func layout(_ number: Int) throws -> Layout {
        let (shape, storage) = (graph.values[number].shape, graph.values[number].storage)
        return switch storage {
        case .plain: try plain(shape)
        case .lanes: try plain(Self.lanesShape(shape))
        case .channelsLast:
            try layout(LayoutKey(shape: shape, order: 1)) {
                try Layout(shape, strides: Self.channelsLastStrides(shape))
            }
        }
    }

    static func lanesShape(_ shape: [Int]) -> [Int] {
        [shape[0] / 16, shape[1], shape[2], shape[3] * 16]
    }

    static func channelsLastStrides(_ shape: [Int]) -> [Int] {
        // As row-major N, spatial..., C.
        let order = [0] + Array(2..<shape.count) + [1]
        let strides = Layout.plainStrides(of: order.map { shape[$0] })
        var result = shape
        for (position, dimension) in order.enumerated() { result[dimension] = strides[position] }
        return result
    }

    // MARK: Primitives

    /// Adds a primitive to do at this time.
    mutating func emit(
        _ primitive: Primitive, _ values: [(Primitive.Argument, Layout, PlanBuffer)]
    ) {
        let scratch = primitive.scratch.map { buffer(bytes: $0.byteCount) }
        let stream = stream
        emit {
            let bound = try primitive.bound(
                to: values.map { ($0.0, $0.1, try $0.2.place()) },
                scratch: try scratch?.place())
            return {
                guard bound.run(on: stream) else {
                    throw TrainingError(.invalidInput, "oneDNN could not run a step")
                }
            }
        }
    }

    // MARK: Gradients

    /// The complete gradient of a result, or nil when the loss does not depend on it.
    func gradient(of number: Int) -> PlanBuffer? {
        guard number >= 0, let gradient = gradients[number] else { return nil }
        use(gradient.buffer)
        return gradient.buffer
    }

    /// Whether the gradient of a result may be overwritten.
    func ownsGradient(of number: Int) -> Bool { gradients[number]?.isExclusive ?? false }

    /// Adds a contribution to the gradient of a value, which lies in the value's own order.
    ///
    /// - Parameter isExclusive: whether nothing else needs what the buffer holds.
    mutating func give(_ buffer: PlanBuffer, to number: Int, isExclusive: Bool = true) throws {
        guard graph.values[number].needsGradient else { return }
        guard let known = gradients[number] else {
            gradients[number] = Gradient(buffer: buffer, isExclusive: isExclusive)
            return
        }
        use(known.buffer)
        let target =
            isExclusive
            ? buffer : known.isExclusive ? known.buffer : self.buffer(bytes: bytes(number))
        let layout = try flat(number)
        emit(
            try .binary(.add, layout, layout, target: layout, posts: []),
            [
                (.source, layout, known.buffer), (.secondSource, layout, buffer),
                (.target, layout, target),
            ])
        gradients[number] = Gradient(buffer: target, isExclusive: true)
    }
}

extension PlanBuffer {
    /// Its address, once the plan is laid out.
    func place() throws -> UnsafeMutableRawPointer {
        guard let address else {
            throw TrainingError(.invalidInput, "a buffer of a plan has no place")
        }
        return address
    }

    func floats() throws -> UnsafeMutablePointer<Float> {
        try place().assumingMemoryBound(to: Float.self)
    }
}
