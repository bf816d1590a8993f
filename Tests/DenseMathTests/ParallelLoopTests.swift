import DenseMath
import Foundation
import Synchronization
import Testing

private struct Failure: Error, Equatable {
    let index: Int
}

@Suite("ParallelLoop")
struct ParallelLoopTests {
    @Test("every index runs once", arguments: [0, 1, 2, 7, 100], [1, 2, 3, 16])
    func once(count: Int, threads: Int) throws {
        let seen = Mutex([Int](repeating: 0, count: count))
        ParallelLoop.run(count, threads: threads) { index in seen.withLock { $0[index] += 1 } }
        #expect(seen.withLock { $0 } == Array(repeating: 1, count: count))
    }

    @Test("results come in the order of their indexes", arguments: [1, 2, 5])
    func order(threads: Int) throws {
        let results = try ParallelLoop.map(200, threads: threads) { index in
            if index % 7 == 0 { usleep(50) }
            return index * index
        }
        #expect(results == (0..<200).map { $0 * $0 })
        #expect(try ParallelLoop.map(0, threads: threads) { $0 }.isEmpty)
    }

    @Test("optional results that are nil are kept")
    func optionals() throws {
        let results = try ParallelLoop.map(4, threads: 2) { $0 % 2 == 0 ? $0 : nil }
        #expect(results == [0, nil, 2, nil])
    }

    @Test("indexes are handed out in rising order")
    func rising() throws {
        let begun = Mutex([Int]())
        ParallelLoop.run(50, threads: 1) { index in begun.withLock { $0.append(index) } }
        #expect(begun.withLock { $0 } == Array(0..<50))
    }

    @Test("the error of the lowest index is thrown, and later indexes are skipped")
    func errors() throws {
        for threads in [1, 2, 4, 8] {
            for _ in 0..<20 {
                let begun = Mutex(0)
                #expect(throws: Failure(index: 10)) {
                    try ParallelLoop.run(10_000, threads: threads) { index in
                        begun.withLock { $0 += 1 }
                        // The lowest failure takes longest.
                        if index == 10 { usleep(200) }
                        if index >= 10 { throw Failure(index: index) }
                    }
                }
                #expect(begun.withLock { $0 } <= 10 + threads)
                #expect(throws: Failure(index: 3)) {
                    try ParallelLoop.map(20, threads: threads) { index in
                        if index == 3 || index == 5 { throw Failure(index: index) }
                        return index
                    }
                }
            }
        }
    }

    @Test("one thread runs everything in the caller")
    func caller() throws {
        let here = Thread.current
        let elsewhere = Mutex(0)
        let name = ObjectIdentifier(here)
        ParallelLoop.run(20, threads: 1) { _ in
            if ObjectIdentifier(Thread.current) != name { elsewhere.withLock { $0 += 1 } }
        }
        #expect(elsewhere.withLock { $0 } == 0)
        #expect(ParallelLoop.availableThreads >= 1)
    }
}
