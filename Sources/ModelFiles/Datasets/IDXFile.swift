/// An array of bytes in the format of MNIST, plain or as gzip.
///
/// Two zero bytes, the element type, the number of dimensions, each dimension as 32 bits with the
/// highest byte first, then the elements, row-major. Source: yann.lecun.com/exdb/mnist.
struct IDXFile {
    let shape: [Int]
    let bytes: [UInt8]

    /// Reads a file that must have `rank` dimensions of unsigned bytes.
    ///
    /// - Throws: `ModelFileError`: when the file cannot be read, is not such a file, is damaged, or
    ///   holds more or fewer bytes than its header says; not more than that is ever inflated.
    init(path: String, rank: Int) throws {
        func refusal(_ code: ModelFileError.Code, _ message: String) -> ModelFileError {
            ModelFileError(code: code, message: message, path: path)
        }
        let file = try GzipFile(path: path)
        let start = try file.read(4)
        guard start.count == 4, start[0] == 0, start[1] == 0 else {
            throw refusal(.unknownFormat, "it does not begin like an IDX file")
        }
        guard start[2] == 0x08 else {
            throw refusal(
                .unknownElementType,
                "elements of IDX type \(start[2]); only 8, unsigned bytes, is read")
        }
        guard start[3] == rank else {
            throw refusal(.invalidHeader, "\(start[3]) dimensions, expected \(rank)")
        }
        let header = try file.read(4 * rank)
        guard header.count == 4 * rank else {
            throw refusal(.headerTooSmall, "it ends in its header")
        }
        shape = (0..<rank).map { axis in
            header[4 * axis..<4 * axis + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        var count = 1
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard !overflow, product <= Dataset.maximumByteCount else {
                throw refusal(
                    .datasetTooLarge,
                    "shape \(shape) is over the limit of \(Dataset.maximumByteCount) bytes")
            }
            count = product
        }
        guard count <= file.maximumByteCount else {
            throw refusal(
                .wrongFileSize, "shape \(shape) needs \(count) bytes, more than it can hold")
        }
        bytes = try file.read(count)
        guard bytes.count == count else {
            throw refusal(
                .wrongFileSize, "shape \(shape) needs \(count) bytes, found \(bytes.count)")
        }
        guard try file.read(1).isEmpty else {
            throw refusal(
                .wrongFileSize, "shape \(shape) needs \(count) bytes, and there are more")
        }
    }
}
