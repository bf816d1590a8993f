import DensePrimitives
import Foundation
import SmartDeal

/// Copies of a weight that are used one after another, so many that no cache holds one till its
/// next turn.
final class WeightPool<Item> {
    /// More than the caches of any processor here.
    static var byteCount: Int { 270 << 20 }

    let items: [Item]
    private var index = 0

    init(_ items: [Item]) { self.items = items }

    func next() -> Item {
        index = (index + 1) % items.count
        return items[index]
    }

    static func copies(of bytes: Int) -> Int { byteCount / bytes + 1 }
}

/// Weights of linear layers from memory, as each of those that multiply them wants them.
final class WeightPools {
    private var known: (key: String, pool: WeightPool<PanelWeight>)?

    /// Panels of packed weights.
    func packed(_ layer: Layer, _ form: SymbolForm) throws -> WeightPool<PanelWeight> {
        let key = "\(layer) \(form)"
        if let known, known.key == key { return known.pool }
        known = nil
        let weight = try LayerWeights().weight(layer, form)
        let panels = try ParallelLoop.map(
            WeightPool<PanelWeight>.copies(of: weight.byteCount),
            threads: ParallelLoop.availableThreads
        ) { _ in try MatvecCounts.panels(weight) }
        let pool = WeightPool(panels)
        known = (key, pool)
        return pool
    }

    static let readName = "memory read of its bytes"

    /// Memory that is only read, from four places at once on each thread.
    static func reads(of bytes: Int, threads: Int) -> () -> Void {
        let part = bytes / threads / 1024 * 1024
        let pool = WeightPool(
            (0..<WeightPool<Void>.copies(of: bytes)).map { _ in
                AlignedBuffer<UInt8>(count: bytes)
            })
        return {
            nonisolated(unsafe) let base = UnsafeRawPointer(pool.next().base)
            ThreadTeam.run(threads, threads: threads) { thread in
                MemoryLoops.readStreams(base + thread * part, bytes: part)
            }
        }
    }

    static func floats(_ layer: Layer) -> WeightPool<AlignedBuffer<Float>> {
        let count = layer.shape.reduce(1, *)
        return WeightPool(
            (0..<WeightPool<Void>.copies(of: 4 * count)).map { _ in AlignedBuffer(count: count) })
    }

    /// oneDNN's product of a row of bytes with a matrix of bytes, in the layout that it likes best.
    static func bytes(_ layer: Layer, threads: Int) throws -> WeightPool<BoundAction> {
        OneDNN.setThreads(threads)
        let (outputs, inputs) = (layer.shape[0], layer.shape[1])
        let source = try Layout(plain: [1, inputs], .byte)
        let target = try Layout(plain: [1, outputs])
        let primitive = try Primitive.matrixProduct(
            source: source, weights: Layout(any: [inputs, outputs], .signedByte), bias: nil,
            target: target, posts: [],
            integers: IntegerScales(
                source: ByteScale(scale: 0.01, zero: 0), target: nil,
                weights: Array(repeating: 0.01, count: outputs), along: [1]))
        let weights = try primitive.weightsLayout([inputs, outputs])
        return WeightPool(
            try (0..<WeightPool<Void>.copies(of: weights.byteCount)).map { _ in
                try BoundAction(
                    primitive, [(.source, source), (.weights, weights), (.target, target)])
            })
    }
}

/// Waiting for what runs on.
enum Pause {
    /// Longer than OpenMP's and OpenBLAS's threads spin.
    static func untilThreadsRest() { usleep(20_000) }
}
