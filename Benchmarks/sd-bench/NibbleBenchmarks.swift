import BenchmarkSupport
import SmartDeal

extension Benchmark {
    /// Packing and unpacking of symbols, which training and the accelerator model use.
    static func nibbleBenchmarks() -> [Benchmark] {
        [(rows: 4096, "4096"), (rows: 1 << 20, "1 Mi")].flatMap { rows, size in
            [1, 3].flatMap { nibbles in
                ["unpack", "pack"].map { verb in
                    Benchmark(
                        group: .nibbles,
                        name: "\(verb) nibbles, n=\(nibbles), \(size) rows, warm, 1 thread"
                    ) { contest(isPacking: verb == "pack", rows: rows, nibbles: nibbles) }
                }
            }
        }
    }

    private static func contest(isPacking: Bool, rows: Int, nibbles: Int) -> Contest {
        var random = SplitMix64(seed: 2)
        let symbols = AlignedBuffer<UInt8>(
            (0..<(rows * nibbles)).map { _ in random.next(upperBound: 16) })
        let packed = AlignedBuffer<UInt8>(count: nibbles * ((rows + 1) / 2))
        ShiftKernels.scalar.packNibbles(
            rows: rows, nibbles: nibbles, symbols: symbols.base, planeStride: rows,
            packed: packed.base)
        func action(_ kernels: ShiftKernels) -> TimedAction {
            TimedAction {
                if isPacking {
                    kernels.packNibbles(
                        rows: rows, nibbles: nibbles, symbols: symbols.base, planeStride: rows,
                        packed: packed.base)
                } else {
                    kernels.unpackNibbles(
                        rows: rows, nibbles: nibbles, packed: packed.base, symbols: symbols.base,
                        planeStride: rows)
                }
            }
        }
        let memory =
            isPacking
            ? ("memory read of the symbols", TimedAction { MemoryLoops.read(symbols) })
            : ("memory write of the symbols", TimedAction { MemoryLoops.write(symbols) })
        return Contest(
            candidate: action(.selected),
            references: [memory, ("scalar kernel", action(.scalar))],
            work: Double(symbols.byteCount) / 1e9, unit: "GB/s",
            limit: isPacking ? .none : .memoryWrite(bytes: symbols.byteCount))
    }
}
