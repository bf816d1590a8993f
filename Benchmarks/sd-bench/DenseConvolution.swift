import BenchmarkSupport
import DensePrimitives
import SmartDeal

/// What a convolution at kept positions is held to: libraries that compute all of it.
enum DenseConvolution {
    /// oneDNN's convolution of bytes, ReLU merged, images as the kernels take them.
    static func bytes(_ layer: ConvolvedLayer, threads: Int) throws -> TimedAction {
        let axis = layer.axis
        let source = [1, layer.channels, axis.inSize, axis.inSize]
        let target = [1, layer.filters, axis.outSize, axis.outSize]
        return try action(
            layer, threads: threads, source: Layout(channelsLast: source, .byte),
            target: Layout(channelsLast: target, .byte), weights: .signedByte,
            integers: IntegerScales(
                source: ByteScale(scale: 0.01, zero: 0), target: ByteScale(scale: 0.1, zero: 0),
                weights: Array(repeating: 0.01, count: layer.filters), along: [0]))
    }

    /// oneDNN's convolution of floats, ReLU merged, in the layouts that it likes best.
    static func floats(_ layer: ConvolvedLayer, threads: Int) throws -> TimedAction {
        let axis = layer.axis
        return try action(
            layer, threads: threads,
            source: Layout(any: [1, layer.channels, axis.inSize, axis.inSize]),
            target: Layout(any: [1, layer.filters, axis.outSize, axis.outSize]), weights: .float)
    }

    /// The matrix product of floats that the layer is, without the gathering of its operands.
    static func product(_ layer: ConvolvedLayer) -> TimedAction {
        let (m, n, k) = layer.product
        let a = AlignedBuffer<Float>(count: m * k)
        let b = AlignedBuffer<Float>(count: k * n)
        let c = AlignedBuffer<Float>(count: m * n)
        return TimedAction {
            BLASLibrary.multiply(m: m, n: n, k: k, a.base, b.base, into: c.base)
        }
    }

    private static func action(
        _ layer: ConvolvedLayer, threads: Int, source: Layout, target: Layout,
        weights: Layout.Element, integers: IntegerScales? = nil
    ) throws -> TimedAction {
        OneDNN.setThreads(threads)
        let axis = layer.axis
        let sizes = [layer.filters, layer.channels, layer.taps, layer.taps]
        let bias = try Layout(plain: [layer.filters])
        let primitive = try Primitive.convolution(
            source: source, weights: Layout(any: sizes, weights), bias: bias, target: target,
            strides: [axis.stride, axis.stride], dilations: [1, 1],
            padding: ([axis.padding, axis.padding], [axis.padding, axis.padding]),
            posts: [.function(.init(kind: .relu))], integers: integers)
        return try BoundAction(
            primitive,
            [
                (.source, primitive.sourceLayout(source.shape)),
                (.weights, primitive.weightsLayout(sizes)), (.bias, bias),
                (.target, primitive.targetLayout(target.shape)),
            ]
        ).timed(threads: threads)
    }
}

/// A oneDNN primitive with memory of its own for each argument, all zeros.
final class BoundAction {
    private let places: [PlanMemory]
    private let scratch: PlanMemory
    private let bound: BoundPrimitive
    private let stream: OneDNNStream

    init(_ primitive: Primitive, _ arguments: [(Primitive.Argument, Layout)]) throws {
        let places = try arguments.map { try PlanMemory(byteCount: $0.1.byteCount) }
        scratch = try PlanMemory(byteCount: primitive.scratch?.byteCount ?? 0)
        bound = try primitive.bound(
            to: zip(arguments, places).map { ($0.0, $0.1, $1.start) }, scratch: scratch.start)
        stream = try OneDNNStream()
        self.places = places
    }

    func run() throws {
        guard bound.run(on: stream) else {
            throw OneDNN.Failure(what: "what it had made", status: 0)
        }
    }

    func timed(threads: Int) -> TimedAction {
        TimedAction {
            OneDNN.setThreads(threads)
            try self.run()
        }
    }
}
