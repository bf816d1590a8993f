/// A walk over a protobuf message that makes no objects.
struct ProtobufScan {
    private let bytes: UnsafeRawBufferPointer
    private var position: Int
    private let end: Int

    init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>? = nil) {
        self.bytes = bytes
        position = range?.lowerBound ?? 0
        end = range?.upperBound ?? bytes.count
    }

    /// One field of a message.
    struct Field {
        let number: Int
        let wireType: Int
        /// The number, of a varint.
        var value: UInt64 = 0
        /// The bytes, of a length-delimited field. May reach past the end of the message.
        var payload: Range<Int> = 0..<0
    }

    /// The next field; nil at the end or where the bytes are no message.
    mutating func next() -> Field? {
        guard let tag = varint(), tag >> 3 > 0, tag >> 3 < 1 << 29 else { return nil }
        var field = Field(number: Int(tag >> 3), wireType: Int(tag & 7))
        switch field.wireType {
        case 0:
            guard let value = varint() else { return nil }
            field.value = value
        case 1: position += 8
        case 2:
            guard let length = varint(), length < 1 << 40 else { return nil }
            field.payload = position..<position + Int(length)
            position = field.payload.upperBound
        case 5: position += 4
        default: return nil
        }
        return field
    }

    private mutating func varint() -> UInt64? {
        var result: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard position < end else { return nil }
            let byte = bytes[position]
            position += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
        }
        return nil
    }
}

// MARK: What ONNX files look like

extension ONNXModel {
    /// Whether a file, or its first bytes, is an ONNX model as far as its first fields tell: those
    /// of `ModelProto` up to the graph, with their types.
    package static func looksLikeONNX(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var scan = ProtobufScan(bytes)
        var hasVersion = false
        var hasMore = false
        while let field = scan.next() {
            switch (field.number, field.wireType) {
            case (1, 0):  // ir_version
                guard 1...1000 ~= field.value else { return false }
                hasVersion = true
            case (7, 2): return field.payload.count > 0
            case (2...4, 2), (6, 2), (5, 0), (8, 2), (14, 2), (20, 2), (25, 2), (26, 2):
                hasMore = true
            default: return false
            }
            if field.payload.upperBound > bytes.count { return hasVersion }
        }
        // It may have been cut off before its graph, which reading it will say.
        return hasVersion && hasMore
    }
}

extension ProtobufScan {
    /// The messages of onnx.proto that can hold many others.
    private enum Message {
        case model, graph, node, attribute, tensor, sparseTensor, valueInfo, type, tensorType, shape
        case function, training, other

        /// What a length-delimited field of it is; nil for text, bytes and packed numbers.
        func child(_ field: Int) -> Message? {
            switch (self, field) {
            case (.model, 7), (.attribute, 6), (.attribute, 11), (.training, 1), (.training, 2):
                .graph
            case (.model, 25): .function
            case (.model, 20): .training
            case (.graph, 1), (.function, 7): .node
            case (.graph, 5), (.attribute, 5), (.attribute, 10), (.sparseTensor, 1),
                (.sparseTensor, 2):
                .tensor
            case (.graph, 15), (.attribute, 22), (.attribute, 23): .sparseTensor
            case (.graph, 11), (.graph, 12), (.graph, 13), (.function, 12): .valueInfo
            case (.node, 5), (.function, 11): .attribute
            case (.valueInfo, 2), (.attribute, 14), (.attribute, 15): .type
            // Tensors, sparse tensors; sequences, optionals and maps hold a type.
            case (.type, 1), (.type, 8): .tensorType
            case (.type, 4), (.type, 5), (.type, 9), (.tensorType, 1): .type
            case (.tensorType, 2): .shape
            case (.model, 8), (.model, 14), (.model, 26), (.graph, 14), (.graph, 16), (.node, 9),
                (.node, 10), (.tensor, 13), (.tensor, 16), (.valueInfo, 4), (.function, 14),
                (.shape, 1):
                .other
            default: nil
            }
        }
    }

    /// The number of messages and texts in a model, or nil when there are more than `limit`.
    ///
    /// It ends where the bytes are no message; decoding finds that too, and not later.
    static func entryCount(of bytes: UnsafeRawBufferPointer, atMost limit: Int) -> Int? {
        var count = 0
        // Messages being walked, outermost first; protobuf decoding refuses more than 100.
        var stack: [(scan: ProtobufScan, message: Message)] = [(ProtobufScan(bytes), .model)]
        while !stack.isEmpty {
            guard let field = stack[stack.count - 1].scan.next() else {
                stack.removeLast()
                continue
            }
            guard field.wireType == 2 else { continue }
            count += 1
            guard count <= limit else { return nil }
            guard field.payload.upperBound <= bytes.count else { return count }
            if let child = stack[stack.count - 1].message.child(field.number), stack.count < 101 {
                stack.append((ProtobufScan(bytes, in: field.payload), child))
            }
        }
        return count
    }
}
