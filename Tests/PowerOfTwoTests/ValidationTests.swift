import Foundation
import PowerOfTwo
import Testing

/// Expects a ``PowerOfTwoError`` with this code whose message has all of these in it.
private func expectError<R>(
    _ code: PowerOfTwoError.Code, _ parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> R
) {
    do {
        _ = try body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as PowerOfTwoError {
        #expect(error.code == code, sourceLocation: sourceLocation)
        for part in parts {
            #expect(error.message.contains(part), sourceLocation: sourceLocation)
        }
        #expect(
            error.description == "\(code.rawValue): \(error.message)",
            sourceLocation: sourceLocation)
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
}

@Suite("Alphabet")
struct AlphabetTests {
    @Test("an alphabet has 1 to 16 symbols")
    func symbolCount() throws {
        expectError(.invalidAlphabet, "16", "not 0") { try Alphabet(name: "", symbols: []) }
        expectError(.invalidAlphabet, "16", "not 17") {
            try Alphabet(name: "", symbols: Array(repeating: [1], count: 17))
        }
        #expect(
            try Alphabet(name: "", symbols: Array(repeating: [1], count: 16)).symbolCount == 16)
        #expect(try Alphabet(name: "", symbols: [[0]]).smallestExponent == 0)
    }

    @Test("all symbols have one or two coefficients, as many as the first")
    func symbolWidth() {
        for symbols in [[[]], [[1, 1, 1]], [[1], [1, 1]], [[1, 0], [1]]] as [[[Double]]] {
            expectError(.invalidAlphabet, "1 or 2") { try Alphabet(name: "", symbols: symbols) }
        }
    }

    @Test("a coefficient is zero or a signed power of two from 2^-64 to 2^64")
    func coefficients() throws {
        let outside = 0x1p65
        for value in [
            3, 0.75, outside, -outside, 1 / outside, .nan, .infinity, Double.leastNonzeroMagnitude,
        ] {
            expectError(.invalidAlphabet, "\(value)", "2^-64 to 2^64") {
                try Alphabet(name: "", symbols: [[0], [value]])
            }
        }
        let edge = 0x1p64
        let alphabet = try Alphabet(name: "edge", symbols: [[0, edge], [-1 / edge, -0.0]])
        #expect(alphabet.coefficients == [0, edge, -1 / edge, 0])
        #expect(alphabet.smallestExponent == -64)
        #expect(Array(alphabet[1]) == [-1 / edge, 0])
    }

    @Test("the named alphabets have the symbols that the format states")
    func named() {
        #expect(
            Alphabet.single.coefficients.prefix(9) == [
                0, 1, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, -1,
            ])
        #expect(Alphabet.single.symbolCount == 15 && Alphabet.single.smallestExponent == -6)
        #expect(Alphabet.quarters.symbolCount == 16)
        #expect(Set(Alphabet.quarters.coefficients) == [1, -1, 0.25, -0.25])
        #expect(Alphabet.halves.symbolCount == 15)
        #expect(Array(Alphabet.halves[0]) == [0, 0] && Array(Alphabet.halves[4]) == [1, 1])
        for alphabet in Alphabet.named {
            let c = alphabet.coefficientsPerSymbol
            let symbols = Set((0..<alphabet.symbolCount).map { Array(alphabet[$0]) })
            #expect(symbols.count == alphabet.symbolCount)
            #expect(alphabet.coefficients.count == alphabet.symbolCount * c)
        }
        #expect(Alphabet.named.map(\.name) == ["single", "4x4", "5x3", "8x2"])
    }
}

@Suite("WeightGeometry")
struct WeightGeometryTests {
    private func geometry(
        _ shape: [Int] = [4, 6], unit: Int = 1, width: Int = 3, nibbles: Int = 3, rows: Int = 2,
        shared: Int = 1
    ) throws -> WeightGeometry {
        try WeightGeometry(
            shape: shape, unit: unit, width: width, nibbles: nibbles, rowsPerSlice: rows,
            filtersPerBasis: shared, layout: .full)
    }

    @Test("a shape without weights is refused, with the shape")
    func empty() {
        for shape in [[], [0], [3, 0], [3, -1, 2], [-2]] {
            expectError(.invalidGeometry, "\(shape)") { try geometry(shape) }
        }
    }

    @Test("a shape that overflows is refused, with the shape")
    func overflow() {
        let big = Int(Int32.max)
        for shape in [
            [2, Int.max, 2], [Int.max, 2], [big + 1, 1], [1, big + 1], [1, 1 << 40, 1 << 40],
            [Int.max],
        ] {
            expectError(.invalidGeometry, "\(shape)") { try geometry(shape) }
        }
    }

    @Test("a number out of its range is refused, with the number and the range")
    func ranges() {
        for width in [0, -1, 65] {
            expectError(.invalidGeometry, "width \(width)", "1...64") {
                try geometry(width: width)
            }
            expectError(.invalidGeometry, "\(width) symbols", "1...64") {
                try geometry(nibbles: width)
            }
        }
        for unit in [0, -3, 4, 7] {
            expectError(.invalidGeometry, "unit \(unit)", "6") { try geometry(unit: unit) }
        }
        for rows in [0, -1, Int(Int32.max) + 1, Int.max] {
            expectError(.invalidGeometry, "\(rows)") { try geometry(rows: rows) }
        }
        for shared in [0, -1, 3, 64] {
            expectError(.invalidGeometry, "\(shared) filters", "32") {
                try geometry(shared: shared)
            }
        }
    }

    @Test("counts are what the shape and the cut give")
    func counts() throws {
        let found = try WeightGeometry(
            shape: [70, 5, 3, 3], unit: 3, width: 4, nibbles: 3, rowsPerSlice: 5,
            filtersPerBasis: 8, layout: .kept)
        #expect(found.filterCount == 70 && found.filterLength == 45)
        #expect(found.weightCount == 3150 && found.positionCount == 15)
        #expect(found.groupCount == 3 && found.filters(ofGroup: 2) == 64..<70)
        #expect(found.rowCount == 12 && found.sliceCount == 3)
        #expect(found.basisCount == 9 * 3)
        #expect(found.basisIndex(filter: 15, slice: 2) == 5)
        #expect(found.basisIndex(filter: 16, slice: 0) == 6)
        #expect(found.groupMaskStride == 2)
        #expect(found.symbolBytes(rows: 5) == 9)
        #expect(try geometry([3]).filterLength == 1)
    }
}

@Suite("SmartDealWeight")
struct SmartDealWeightTests {
    private static let model = try? WeightModel(
        WeightModel.Case(
            shape: [34, 7, 3, 3], rowsPerSlice: 10, hasRowMask: true, hasGroupMask: true))

    /// The model weight with one part replaced.
    private func build(
        symbols: ([UInt8]) -> [UInt8] = { $0 }, rowMask: ([UInt8]) -> [UInt8] = { $0 },
        groupMask: ([UInt8]) -> [UInt8] = { $0 }, basis: (Basis) -> Basis = { $0 },
        scales: ([UInt16]) -> [UInt16]? = { $0 }
    ) throws -> SmartDealWeight {
        let weight = try #require(Self.model).weight
        return try SmartDealWeight(
            geometry: weight.geometry, alphabet: weight.alphabet, symbols: symbols(weight.symbols),
            rowMask: weight.rowMask.map(rowMask), groupMask: weight.groupMask.map(groupMask),
            basis: basis(weight.basis),
            scales: scales(weight.scales?.halves ?? []).map {
                try FilterScales(halves: $0, exponent: 0)
            })
    }

    @Test("parts of another size than the geometry asks for are refused, with both sizes")
    func sizes() throws {
        let weight = try build()
        let elements = weight.basis.count
        for change in [1, -1] {
            func resized<T>(_ values: [T]) -> [T] {
                change > 0 ? values + values.prefix(1) : values.dropLast()
            }
            expectError(.sizeMismatch, "basis", "\(elements)", "\(elements + change)") {
                try build(basis: { _ in .int8(Array(repeating: 0, count: elements + change)) })
            }
            expectError(.sizeMismatch, "basis", "\(elements)", "\(elements + change)") {
                try build(basis: { _ in .float32(Array(repeating: 0, count: elements + change)) })
            }
            let scales = weight.scales?.halves.count ?? 0
            expectError(.sizeMismatch, "scales", "\(scales)", "\(scales + change)") {
                try build(scales: { resized($0) })
            }
            let group = weight.groupMask?.count ?? 0
            expectError(.sizeMismatch, "group masks", "\(group)", "\(group + change)") {
                try build(groupMask: { resized($0) })
            }
            let row = weight.rowMask?.count ?? 0
            expectError(.sizeMismatch, "row masks", "\(row)", "\(row + change)") {
                try build(rowMask: { resized($0) })
            }
            let symbols = weight.symbols.count
            expectError(.sizeMismatch, "symbols", "\(symbols)", "\(symbols + change)") {
                try build(symbols: { resized($0) })
            }
        }
        expectError(.sizeMismatch, "scales") { try build(scales: { _ in nil }) }
    }

    @Test("masks that ask for other symbols than there are are refused")
    func masks() throws {
        let count = try build().symbols.count
        expectError(.sizeMismatch, "symbols", "\(count)") {
            try build(rowMask: { $0.map { _ in 0xFF } })
        }
        expectError(.sizeMismatch, "symbols", "expected 0", "\(count)") {
            try build(rowMask: { $0.map { _ in 0 } })
        }
        expectError(.sizeMismatch) { try build(groupMask: { $0.map { _ in 0xFF } }) }
    }

    @Test("bits of a mask beyond its end mean nothing")
    func trailingBits() throws {
        let model = try #require(Self.model)
        let stride = model.weight.geometry.groupMaskStride
        let noisy = try build(groupMask: { mask in
            mask.enumerated().map {
                $0.offset % stride == stride - 1 ? $0.element | 0xE0 : $0.element
            }
        })
        #expect(model.weight.geometry.positionCount % 8 == 5)
        #expect(noisy.statistics() == model.weight.statistics())
        #expect(noisy.rebuilt().count == model.dense.count)
    }

    @Test("a basis or scale that is not finite is refused")
    func nonFinite() throws {
        let elements = try build().basis.count
        for value: Float in [.nan, .infinity, -.infinity] {
            expectError(.nonFinite, "basis") {
                try build(basis: { _ in
                    .float32(Array(repeating: 1, count: elements - 1) + [value])
                })
            }
            expectError(.nonFinite, "scale") {
                try build(scales: { $0.dropLast() + [Float16(value).bitPattern] })
            }
        }
    }

    @Test("shapes too large for any model are refused before anything is allocated")
    func overflow() throws {
        for shape in [
            [Int(Int32.max), Int(Int32.max)], [1, 1 << 28], [Int.max, 2], [2, Int.max],
        ] {
            expectError(.invalidGeometry, "shape") {
                try WeightGeometry(
                    shape: shape, unit: 1, width: 1, nibbles: 64, rowsPerSlice: 1,
                    filtersPerBasis: 1, layout: .full)
            }
        }
    }

    @Test("a nibble beyond the alphabet stands for zero")
    func beyondAlphabet() throws {
        let geometry = try WeightGeometry(
            shape: [1, 4], unit: 1, width: 1, nibbles: 1, rowsPerSlice: 4, filtersPerBasis: 1,
            layout: .full)
        let weight = try SmartDealWeight(
            geometry: geometry, alphabet: .single, symbols: [0xF1, 0x8F], rowMask: nil,
            groupMask: nil, basis: .float32([2]), scales: nil)
        #expect(weight.rebuilt() == [2, 0, 0, -2])
        #expect(weight.statistics().nonzeroCoefficients == 2)
    }
}
