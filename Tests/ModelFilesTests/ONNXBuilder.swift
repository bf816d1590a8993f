import Foundation
import ONNXSchema

@testable import ModelFiles

/// ONNX models made in memory, for tests.
enum ONNXBuilder {
    /// A model with one input `x` and one output `y`, both of `shape`.
    static func model(
        opset: Int64 = 17, shape: [Int64] = [2, 3], _ nodes: [Onnx_NodeProto],
        _ initializers: [Onnx_TensorProto] = []
    ) -> Onnx_ModelProto {
        .with {
            $0.irVersion = 8
            $0.producerName = "test"
            $0.opsetImport = [.with { $0.version = opset }]
            $0.graph.name = "g"
            $0.graph.node = nodes
            $0.graph.initializer = initializers
            $0.graph.input = [value("x", shape)]
            $0.graph.output = [value("y", shape)]
        }
    }

    static func value(_ name: String, _ shape: [Int64]) -> Onnx_ValueInfoProto {
        .with {
            $0.name = name
            $0.type.tensorType.elemType = 1
            $0.type.tensorType.shape.dim = shape.map { size in .with { $0.dimValue = size } }
        }
    }

    static func node(
        _ type: String, _ inputs: [String], to outputs: [String] = ["y"], domain: String = "",
        _ attributes: [Onnx_AttributeProto] = []
    ) -> Onnx_NodeProto {
        .with {
            $0.opType = type
            $0.input = inputs
            $0.output = outputs
            if !domain.isEmpty { $0.domain = domain }
            $0.attribute = attributes
        }
    }

    static func tensor(
        _ name: String, type: Int32 = 1, _ dims: [Int64], raw: [UInt8]
    ) -> Onnx_TensorProto {
        .with {
            $0.name = name
            $0.dataType = type
            $0.dims = dims
            $0.rawData = Data(raw)
        }
    }

    static func integers(_ name: String, _ values: [Int64]) -> Onnx_TensorProto {
        .with {
            $0.name = name
            $0.dataType = 7
            $0.dims = [Int64(values.count)]
            $0.int64Data = values
        }
    }

    static func external(
        _ dims: [Int64], _ entries: KeyValuePairs<String, String>
    ) -> Onnx_TensorProto {
        .with {
            $0.name = "w"
            $0.dataType = 1
            $0.dims = dims
            $0.dataLocation = .external
            $0.externalData = entries.map { key, value in
                .with {
                    $0.key = key
                    $0.value = value
                }
            }
        }
    }
}
