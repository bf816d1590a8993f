import DenseMath
import ModelFiles
import Networks
import Testing

@Suite("NPY files")
struct NPYFileTests {
    private func fixture(_ name: String) throws -> NPYFile {
        try NPYFile(path: "\(fixtures)/images/\(name).npy")
    }

    @Test(
        "floats that NumPy wrote are read, in either byte order",
        arguments: ["little-f2", "little-f4", "little-f8", "big-f2", "big-f4", "big-f8"])
    func floats(name: String) throws {
        let file = try fixture(name)
        #expect(file.elementType == .float32)
        #expect(file.tensor == Tensor(shape: [2, 3], [-3.5, -1, 1.5, 4, 6.5, 9]))
    }

    @Test(
        "integers that NumPy wrote are read, in either byte order",
        arguments: [
            ("little-i1", ScalarType.int8), ("little-i2", .int32), ("little-i4", .int32),
            ("little-i8", .int64), ("big-i2", .int32), ("big-i4", .int32), ("big-i8", .int64),
        ])
    func integers(name: String, type: ScalarType) throws {
        let file = try fixture(name)
        #expect(file.elementType == type)
        #expect(file.tensor == Tensor(shape: [2, 3], integers: [-7, -2, 3, 8, 13, 18]))
    }

    @Test(
        "unsigned integers that NumPy wrote are read, in either byte order",
        arguments: [
            ("little-u1", ScalarType.uint8, 8), ("little-u2", .int32, 16),
            ("little-u4", .int64, 32),
            ("big-u2", .int32, 16), ("big-u4", .int64, 32),
        ])
    func unsigned(name: String, type: ScalarType, bits: Int) throws {
        let file = try fixture(name)
        #expect(file.elementType == type)
        let wrap = Int64(1) << bits
        #expect(
            file.tensor == Tensor(shape: [2, 3], integers: [wrap - 7, wrap - 2, 3, 8, 13, 18]))
    }

    @Test("booleans, scalars, empty arrays, and versions 2 and 3 of the format are read")
    func others() throws {
        let bool = try fixture("bool")
        #expect(bool.elementType == .bool)
        #expect(bool.tensor == Tensor(shape: [2, 3], integers: [0, 0, 1, 1, 1, 1]))
        #expect(try fixture("scalar").tensor == Tensor(shape: [], [1.5]))
        #expect(try fixture("empty").tensor == Tensor(shape: [0, 3], [Float]()))
        for name in ["vector", "version2", "version3"] {
            #expect(try fixture(name).tensor == Tensor(shape: [3], [0, 1, 2]))
        }
    }

    @Test("an array in Fortran's order is read in the order of C")
    func fortran() throws {
        let file = try fixture("fortran")
        #expect(file.tensor == Tensor(shape: [2, 3, 4], integers: (0..<24).map { $0 }))
    }

    @Test("what is written is read back, and written as NumPy writes it")
    func roundTrip() throws {
        let folder = try TestFolder()
        let tensors = [
            Tensor(shape: [], [1.5]), Tensor(shape: [0, 3], [Float]()),
            Tensor(shape: [3], [0, 1, 2]),
            Tensor(shape: [2, 1, 2], [.nan, -0.0, .infinity, .leastNonzeroMagnitude]),
            Tensor(shape: [2], integers: [.min, .max]),
            Tensor(shape: .init(repeating: 1, count: 64), [7]),
        ]
        for tensor in tensors {
            try NPYFile.write(tensor, to: folder("a.npy"))
            let back = try NPYFile(path: folder("a.npy"))
            #expect(back.tensor == tensor)
            #expect(back.elementType == (tensor.kind == .float32 ? .float32 : .int64))
        }
        for name in ["vector", "empty", "scalar", "little-f4", "little-i8"] {
            try NPYFile.write(fixture(name).tensor, to: folder(name))
            #expect(try folder.read(name) == fileBytes("\(fixtures)/images/\(name).npy"))
        }
    }

    @Test("a header in other words that Python takes as the same is read")
    func spelling() throws {
        let folder = try TestFolder()
        let header = "{ \"shape\":(2 ,1),'fortran_order' :True , 'descr':\"|u1\"}  \n"
        let file = try NPYFile(path: folder.write(npy(header, [5, 6], version: 2), to: "a"))
        #expect(file.tensor == Tensor(shape: [2, 1], integers: [5, 6]))
    }

    @Test("what is not read is refused by name")
    func refusals() throws {
        expectError(.unknownElementType, saying: "'<c8'", "f4") { try fixture("complex") }
        expectError(.unknownElementType, saying: "several fields") { try fixture("record") }
        let folder = try TestFolder()
        func refused(
            _ code: ModelFileError.Code, _ header: String, _ data: [UInt8] = [],
            saying word: String = "a.npy",
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let path = try folder.write(npy(header, data), to: "a.npy")
            expectError(code, saying: word, sourceLocation: sourceLocation) {
                try NPYFile(path: path)
            }
        }
        let float = "'descr': '<f4', 'fortran_order': False"
        try refused(
            .wrongFileSize, "{\(float), 'shape': (1000000, 1000000)}", [0],
            saying: "4000000000000 bytes after the header, found 1")
        try refused(
            .wrongFileSize, "{\(float), 'shape': (1,)}", [0, 0, 0, 0, 0], saying: "found 5")
        try refused(.shapeOverflow, "{\(float), 'shape': (4611686018427387904, 2)}")
        try refused(.shapeOverflow, "{\(float), 'shape': (4611686018427387904, 4, 0)}")
        try refused(.shapeOverflow, "{\(float), 'shape': (99999999999999999999,)}")
        let many = String(repeating: "1,", count: 65)
        try refused(.shapeOverflow, "{\(float), 'shape': (\(many))}", [0, 0, 0, 0])
        try refused(.invalidHeader, "{\(float), 'shape': (-1,)}")
        try refused(.invalidHeader, "{\(float), \(float), 'shape': (1,)}", saying: "occurs twice")
        try refused(.invalidHeader, "{\(float)}", saying: "lacks")
        try refused(.invalidHeader, "{\(float), 'shape': (1,)} x")
        try refused(.invalidHeader, "{'descr': '<f4", saying: "closing quote")
        try refused(.invalidHeader, "")
        try refused(.unknownElementType, "{'descr': '|f4', 'fortran_order': False, 'shape': ()}")
        try refused(.unknownElementType, "{'descr': '', 'fortran_order': False, 'shape': ()}")
        expectError(.unknownFormat, saying: "version 9") {
            try NPYFile(path: folder.write(npy("{}", [], version: 9), to: "a"))
        }
        expectError(.unknownFormat) { try NPYFile(path: folder.write([1, 2, 3], to: "a")) }
        expectError(.cannotWrite) {
            try NPYFile.write(Tensor(zeros: [1]), to: folder("none/a.npy"))
        }
    }

    @Test("a file cut off anywhere is refused")
    func truncated() throws {
        let folder = try TestFolder()
        for name in ["little-f4", "fortran", "version2"] {
            let whole = try fileBytes("\(fixtures)/images/\(name).npy")
            for count in 0..<whole.count {
                let path = try folder.write(Array(whole[..<count]), to: "a.npy")
                #expect(throws: ModelFileError.self) { try NPYFile(path: path) }
            }
        }
    }

    @Test("mutated files are read or refused, never trapped on", arguments: [1, 2] as [UInt64])
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let folder = try TestFolder()
        let names = ["little-f4", "big-i2", "fortran", "version3", "bool", "little-f8", "scalar"]
        let good = try names.map { try fileBytes("\(fixtures)/images/\($0).npy") }
        var (accepted, codes) = (0, Set<ModelFileError.Code>())
        for step in 0..<2000 {
            let bytes = mutated(good[step % good.count], &random)
            do {
                _ = try NPYFile(path: folder.write(bytes, to: "a.npy"))
                accepted += 1
            } catch let error as ModelFileError {
                codes.insert(error.code)
            }
        }
        print("seed \(seed): \(accepted) of 2000 accepted, \(codes.count) kinds of error")
        #expect(accepted > 40 && codes.count >= 6, "\(codes)")
    }
}
