internal import COneDNN
internal import Foundation

/// The one door to oneDNN. Shapes are sizes, outermost first; elements are floats or bytes.
package enum OneDNN {
    /// The library's version, such as `2.6.3`.
    package static var version: String {
        guard let version = dnnl_version()?.pointee else { return "unknown" }
        return "\(version.major).\(version.minor).\(version.patch)"
    }

    /// Sets the threads that the calling thread's primitives are made for and run on.
    package static func setThreads(_ count: Int) { sdn_set_threads(CInt(count)) }

    /// The processor as an engine, made once.
    fileprivate static let engine = Engine()

    /// oneDNN could not do what was asked.
    package struct Failure: Error, CustomStringConvertible {
        package let what: String
        package let status: Int

        package init(what: String, status: Int) {
            self.what = what
            self.status = status
        }

        package var description: String {
            "oneDNN \(OneDNN.version) cannot make \(what) (\(status))"
        }
    }

    fileprivate static func check(_ status: dnnl_status_t, _ what: @autoclosure () -> String) throws
    {
        guard status == dnnl_success else {
            throw Failure(what: what(), status: Int(status.rawValue))
        }
    }
}

private final class Engine: @unchecked Sendable {
    // Unchecked: oneDNN's engines may be used by all threads.
    let handle: OpaquePointer?

    init() {
        var engine: OpaquePointer?
        dnnl_engine_create(&engine, dnnl_cpu, 0)
        handle = engine
    }
}

/// What primitives run on; one for each plan.
package final class OneDNNStream {
    fileprivate let handle: OpaquePointer?

    package init() throws {
        var stream: OpaquePointer?
        try OneDNN.check(
            dnnl_stream_create(
                &stream, OneDNN.engine.handle, dnnl_stream_default_flags.rawValue), "a stream")
        handle = stream
    }

    deinit {
        if let handle { dnnl_stream_destroy(handle) }
    }
}

/// How a value lies in memory: its sizes, and the order and blocking of its elements.
package final class Layout: Equatable {
    let handle: UnsafeMutablePointer<sdn_layout>
    package let shape: [Int]
    /// Bytes, padding of blocks included.
    package let byteCount: Int

    /// What the elements are.
    package enum Element {
        case float, byte, signedByte

        fileprivate var number: CInt {
            switch self {
            case .float: CInt(sdn_float.rawValue)
            case .byte: CInt(sdn_byte.rawValue)
            case .signedByte: CInt(sdn_signed_byte.rawValue)
            }
        }
    }

    fileprivate init(_ handle: UnsafeMutablePointer<sdn_layout>, shape: [Int]) {
        self.handle = handle
        self.shape = shape
        byteCount = sdn_layout_bytes(handle)
    }

    deinit {
        sdn_layout_free(handle)
    }

    /// The dimensions that oneDNN knows.
    package static let maximumRank = Int(DNNL_MAX_NDIMS)

    /// Row-major. Of more dimensions than oneDNN knows it is told the number of elements only.
    package convenience init(plain shape: [Int], _ element: Element = .float) throws {
        guard shape.count > Self.maximumRank else {
            try self.init(shape, strides: Layout.plainStrides(of: shape), element)
            return
        }
        let count = [shape.reduce(1, *)]
        guard let handle = sdn_layout_create(1, count.map(Int64.init), [1], element.number) else {
            throw OneDNN.Failure(what: "a layout of \(shape)", status: 0)
        }
        self.init(handle, shape: shape)
    }

    /// Row-major but for the channels, dimension 1, which lie side by side.
    package convenience init(channelsLast shape: [Int], _ element: Element) throws {
        guard shape.count > 2 else {
            try self.init(plain: shape, element)
            return
        }
        let inner = Layout.plainStrides(of: Array(shape[2...])).map { $0 * shape[1] }
        try self.init(
            shape, strides: [shape[1...].reduce(1, *), 1] + inner, element)
    }

    /// The order that a primitive likes best; only to ask for.
    package convenience init(any shape: [Int], _ element: Element = .float) throws {
        try self.init(shape, strides: nil, element)
    }

    /// Elements at the given distances.
    package convenience init(
        _ shape: [Int], strides: [Int]?, _ element: Element = .float
    ) throws {
        // oneDNN has no values without dimensions: a number is a vector of one.
        let sizes = shape.isEmpty ? [1] : shape.map(Int64.init)
        let steps = strides.map { $0.isEmpty ? [1] : $0.map(Int64.init) }
        guard let handle = sdn_layout_create(CInt(sizes.count), sizes, steps, element.number)
        else {
            throw OneDNN.Failure(what: "a layout of \(shape)", status: 0)
        }
        self.init(handle, shape: shape)
    }

    package static func plainStrides(of shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for index in shape.indices.dropLast().reversed() {
            strides[index] = strides[index + 1] * max(1, shape[index + 1])
        }
        return strides
    }

    package static func == (a: Layout, b: Layout) -> Bool {
        a === b || sdn_layout_equal(a.handle, b.handle) == 1
    }
}

/// Something that a primitive does to its result before it writes it.
package enum PostOperation {
    /// Adds what the target holds before, scale times what is above zero when it holds bytes.
    case sum(scale: Float = 1, zero: Int = 0)
    case function(Function)
    case binary(BinaryFunction, Layout)

    /// A function of one value with two constants.
    package struct Function: Equatable {
        package enum Kind: CInt {
            case relu, elu, clip, linear, logistic, hardswish, swish, tanh, geluErf, geluTanh
            case abs, sqrt, exp, log, pow
            /// ReLU whose gradient is found from its result.
            case reluOfResult
        }

        package let kind: Kind
        package var alpha: Float = 0
        package var beta: Float = 0

        package init(kind: Kind, alpha: Float = 0, beta: Float = 0) {
            self.kind = kind
            self.alpha = alpha
            self.beta = beta
        }
    }

    package enum BinaryFunction: CInt {
        case add, subtract, multiply, divide, minimum, maximum
    }
}

/// A oneDNN primitive: an operation made for given layouts.
package final class Primitive {
    /// The value that an argument is.
    package enum Argument: Hashable {
        case source, secondSource, weights, bias, target, mean, variance, scale, shift
        case sourceGradient, targetGradient, weightsGradient, biasGradient, scaleGradient
        case shiftGradient
        /// What a forward pass keeps for the backward one.
        case workspace
        /// One of several sources.
        case part(Int)
        /// The operand of a post-operation.
        case post(Int)

        fileprivate var number: CInt {
            switch self {
            case .source: CInt(sdn_argument_source.rawValue)
            case .secondSource: CInt(sdn_argument_source_1.rawValue)
            case .weights: CInt(sdn_argument_weights.rawValue)
            case .bias: CInt(sdn_argument_bias.rawValue)
            case .target: CInt(sdn_argument_target.rawValue)
            case .mean: CInt(sdn_argument_mean.rawValue)
            case .variance: CInt(sdn_argument_variance.rawValue)
            case .scale: CInt(sdn_argument_scale.rawValue)
            case .shift: CInt(sdn_argument_shift.rawValue)
            case .sourceGradient: CInt(sdn_argument_source_gradient.rawValue)
            case .targetGradient: CInt(sdn_argument_target_gradient.rawValue)
            case .weightsGradient: CInt(sdn_argument_weights_gradient.rawValue)
            case .biasGradient: CInt(sdn_argument_bias_gradient.rawValue)
            case .scaleGradient: CInt(sdn_argument_scale_gradient.rawValue)
            case .shiftGradient: CInt(sdn_argument_shift_gradient.rawValue)
            case .workspace: CInt(sdn_argument_workspace.rawValue)
            case .part(let index): CInt(sdn_argument_multiple.rawValue) + CInt(index)
            case .post(let index): sdn_post_argument(CInt(index))
            }
        }
    }

    let descriptor: OpaquePointer
    private let handle: OpaquePointer
    fileprivate let integers: IntegerScales?
    /// The name of oneDNN's implementation, such as `jit:avx512_core`.
    package let implementation: String
    /// Memory that it needs while it runs; may be shared with others that do not run then.
    package let scratch: Layout?

    private init(descriptor: OpaquePointer, integers: IntegerScales?, what: String) throws {
        var handle: OpaquePointer?
        let status = dnnl_primitive_create(&handle, descriptor)
        guard status == dnnl_success, let handle else {
            dnnl_primitive_desc_destroy(descriptor)
            throw OneDNN.Failure(what: what, status: Int(status.rawValue))
        }
        self.descriptor = descriptor
        self.handle = handle
        self.integers = integers
        implementation = String(cString: sdn_primitive_name(descriptor))
        let scratch = sdn_primitive_layout(descriptor, dnnl_query_scratchpad_md, 0)
        self.scratch = scratch.flatMap { handle in
            let layout = Layout(handle, shape: [])
            return layout.byteCount > 0 ? layout : nil
        }
    }

    deinit {
        dnnl_primitive_destroy(handle)
        dnnl_primitive_desc_destroy(descriptor)
    }

    /// The layout that the primitive takes its source in.
    package func sourceLayout(_ shape: [Int]) throws -> Layout {
        try layout(dnnl_query_src_md, shape)
    }
    /// The layout that it takes its weights, or second operand, in.
    package func weightsLayout(_ shape: [Int]) throws -> Layout {
        try layout(dnnl_query_weights_md, shape)
    }
    /// The layout that it writes its result in.
    package func targetLayout(_ shape: [Int]) throws -> Layout {
        try layout(dnnl_query_dst_md, shape)
    }

    /// The layout of what a forward pass keeps for the backward one; nil when it keeps nothing.
    package var workspaceLayout: Layout? {
        sdn_primitive_layout(descriptor, dnnl_query_workspace_md, 0).flatMap { handle in
            let layout = Layout(handle, shape: [])
            return layout.byteCount > 0 ? layout : nil
        }
    }
    /// The layout in which it gives the gradient of the weights.
    package func weightsGradientLayout(_ shape: [Int]) throws -> Layout {
        try layout(dnnl_query_diff_weights_md, shape)
    }

    private func layout(_ query: dnnl_query_t, _ shape: [Int]) throws -> Layout {
        guard let handle = sdn_primitive_layout(descriptor, query, 0) else {
            throw OneDNN.Failure(what: "a layout of \(shape)", status: 0)
        }
        return Layout(handle, shape: shape)
    }

    /// The primitive with the memory that it works on.
    package func bound(
        to values: [(Argument, Layout, UnsafeMutableRawPointer)],
        scratch memory: UnsafeMutableRawPointer?
    ) throws -> BoundPrimitive {
        var arguments = values.map { ($0.0.number, $0.1, $0.2) }
        if let scratch, let memory {
            arguments.append((CInt(sdn_argument_scratchpad.rawValue), scratch, memory))
        }
        return try BoundPrimitive(self, arguments)
    }

    fileprivate func run(
        _ stream: OneDNNStream, _ arguments: UnsafeBufferPointer<dnnl_exec_arg_t>
    ) -> Bool {
        dnnl_primitive_execute(
            handle, stream.handle, CInt(arguments.count), arguments.baseAddress) == dnnl_success
            && dnnl_stream_wait(stream.handle) == dnnl_success
    }

    typealias Make = (
        _ result: UnsafeMutablePointer<OpaquePointer?>, _ engine: OpaquePointer?,
        _ attributes: OpaquePointer?
    ) -> dnnl_status_t

    static func make(
        _ what: String, _ posts: [PostOperation], integers: IntegerScales? = nil, _ make: Make
    ) throws -> Primitive {
        let list = posts.map { post in
            switch post {
            case .sum(let scale, let zero):
                sdn_post(
                    kind: sdn_post_sum, function: 0, alpha: 0, beta: 0, sum_scale: scale,
                    sum_zero: CInt(zero), operand: nil)
            case .function(let function):
                sdn_post(
                    kind: sdn_post_function, function: function.kind.rawValue,
                    alpha: function.alpha, beta: function.beta, sum_scale: 1, sum_zero: 0,
                    operand: nil)
            case .binary(let function, let layout):
                sdn_post(
                    kind: sdn_post_binary, function: function.rawValue, alpha: 0, beta: 0,
                    sum_scale: 1, sum_zero: 0, operand: UnsafePointer(layout.handle))
            }
        }
        var attributes: OpaquePointer?
        try withExtendedLifetime(posts) {
            let status =
                integers?.withForm {
                    sdn_attributes(&attributes, list, CInt(list.count), $0)
                } ?? sdn_attributes(&attributes, list, CInt(list.count), nil)
            try OneDNN.check(status, what)
        }
        defer { if let attributes { dnnl_primitive_attr_destroy(attributes) } }
        creation.lock()
        defer { creation.unlock() }
        var descriptor: OpaquePointer?
        try OneDNN.check(make(&descriptor, OneDNN.engine.handle, attributes), what)
        guard let descriptor else { throw OneDNN.Failure(what: what, status: 0) }
        return try Primitive(descriptor: descriptor, integers: integers, what: what)
    }

    /// One at a time, descriptors included. oneDNN before 2.7.3 keeps the channels of a block in a
    /// global while it describes a convolution (`brg_blocking_t::last_ic_block_size`): one of floats
    /// that is made beside one of bytes leaves either wrong for as long as it lives. Before 2.7 it
    /// also adds to a map of reorders that nothing guards. Four threads that each made the
    /// convolutions of LeNet-5 without the lock, half of them of bytes, were wrong in 112 of 2000
    /// processes, with it in none.
    private static let creation = NSLock()

    package static func convolution(
        source: Layout, weights: Layout, bias: Layout?, target: Layout, strides: [Int],
        dilations: [Int], padding: (begin: [Int], end: [Int]), posts: [PostOperation],
        integers: IntegerScales? = nil
    ) throws -> Primitive {
        try make(
            "a convolution \(source.shape) with \(weights.shape)", posts, integers: integers
        ) {
            sdn_convolution(
                $0, $1, source.handle, weights.handle, bias?.handle, target.handle,
                strides.map(Int64.init), dilations.map { Int64($0 - 1) },
                padding.begin.map(Int64.init), padding.end.map(Int64.init), $2)
        }
    }

    package static func matrixProduct(
        source: Layout, weights: Layout, bias: Layout?, target: Layout, posts: [PostOperation],
        integers: IntegerScales? = nil
    ) throws -> Primitive {
        try make(
            "a matrix product \(source.shape) with \(weights.shape)", posts, integers: integers
        ) {
            sdn_matmul(
                $0, $1, source.handle, weights.handle, bias?.handle, target.handle, $2)
        }
    }

    package enum PoolingKind: CInt {
        case maximum, average, averageWithPadding
    }

    package static func pooling(
        _ kind: PoolingKind, source: Layout, target: Layout, kernel: [Int], strides: [Int],
        dilations: [Int], padding: (begin: [Int], end: [Int]), posts: [PostOperation]
    ) throws -> Primitive {
        try make("a pooling of \(source.shape)", posts) {
            sdn_pooling(
                $0, $1, kind.rawValue, source.handle, target.handle, kernel.map(Int64.init),
                strides.map(Int64.init), dilations.map { Int64($0 - 1) },
                padding.begin.map(Int64.init), padding.end.map(Int64.init), $2)
        }
    }

    package static func function(
        _ function: PostOperation.Function, _ layout: Layout, posts: [PostOperation]
    ) throws -> Primitive {
        try make("a function of \(layout.shape)", posts) {
            sdn_eltwise(
                $0, $1, function.kind.rawValue, function.alpha, function.beta, layout.handle, $2)
        }
    }

    package static func binary(
        _ function: PostOperation.BinaryFunction, _ first: Layout, _ second: Layout,
        target: Layout, posts: [PostOperation]
    ) throws -> Primitive {
        try make("an operation on \(first.shape) and \(second.shape)", posts) {
            sdn_binary_operation(
                $0, $1, function.rawValue, first.handle, second.handle, target.handle, $2)
        }
    }

    package static func softmax(axis: Int, _ layout: Layout) throws -> Primitive {
        try make("a softmax of \(layout.shape)", []) {
            sdn_softmax($0, $1, CInt(axis), layout.handle, $2)
        }
    }

    package static func layerNormalization(epsilon: Float, _ layout: Layout) throws -> Primitive {
        try make("a layer normalization of \(layout.shape)", []) {
            sdn_layer_normalization($0, $1, epsilon, layout.handle, $2)
        }
    }

    package static func batchNormalization(
        epsilon: Float, _ layout: Layout, posts: [PostOperation]
    ) throws -> Primitive {
        try make("a batch normalization of \(layout.shape)", posts) {
            sdn_batch_normalization($0, $1, epsilon, layout.handle, $2)
        }
    }

    package static func reorder(
        from source: Layout, to target: Layout, integers: IntegerScales? = nil
    ) throws -> Primitive {
        try make("a reorder of \(source.shape)", [], integers: integers) {
            sdn_reorder($0, $1, source.handle, target.handle, $2)
        }
    }

    /// Sources that a concatenation can have.
    package static let maximumParts = 1024

    package static func concatenation(
        axis: Int, of sources: [Layout], target: Layout
    ) throws -> Primitive {
        let handles = sources.map { Optional(UnsafePointer($0.handle)) }
        return try make("a concatenation to \(target.shape)", []) { result, engine, attributes in
            handles.withUnsafeBufferPointer {
                sdn_concat(
                    result, engine, CInt(axis), $0.baseAddress, CInt(sources.count), target.handle,
                    attributes)
            }
        }
    }

    package static func mean(_ source: Layout, target: Layout) throws -> Primitive {
        try make("a mean of \(source.shape)", []) {
            sdn_mean($0, $1, source.handle, target.handle, $2)
        }
    }
}

/// A primitive and the memory that it works on.
package final class BoundPrimitive {
    private let primitive: Primitive
    private var arguments: [dnnl_exec_arg_t] = []

    fileprivate init(
        _ primitive: Primitive, _ values: [(CInt, Layout, UnsafeMutableRawPointer)]
    ) throws {
        self.primitive = primitive
        for (number, layout, address) in values {
            var memory: OpaquePointer?
            try OneDNN.check(
                sdn_memory(&memory, OneDNN.engine.handle, layout.handle, address), "memory")
            arguments.append(dnnl_exec_arg_t(arg: number, memory: memory))
        }
        try primitive.integers?.withForm { form in
            let limit = Int(sdn_integer_argument_limit)
            var list = [dnnl_exec_arg_t](repeating: dnnl_exec_arg_t(), count: limit)
            var count: CInt = 0
            let status = sdn_integer_arguments(&list, &count, OneDNN.engine.handle, form)
            arguments += list.prefix(Int(count))
            try OneDNN.check(status, "scales")
        }
    }

    deinit {
        for argument in arguments { dnnl_memory_destroy(argument.memory) }
    }

    /// Computes; false when oneDNN says that it could not.
    package func run(on stream: OneDNNStream) -> Bool {
        arguments.withUnsafeBufferPointer { primitive.run(stream, $0) }
    }
}
