"""Writes expected.json: what ONNX Runtime computes for models of one node.

    python make.py            # needs numpy, onnx and onnxruntime

A case has the operator, its attributes, the inputs (null for one left out) and the outputs. Floats
are the shortest text that gives the same 32 bits. Inputs are multiples of 1/8, which keeps them short.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

OPSET = 21
TYPES = {
    "float32": (np.float32, TensorProto.FLOAT),
    "int64": (np.int64, TensorProto.INT64),
    "int32": (np.int32, TensorProto.INT32),
    "uint8": (np.uint8, TensorProto.UINT8),
    "int8": (np.int8, TensorProto.INT8),
    "bool": (np.bool_, TensorProto.BOOL),
}

random = np.random.default_rng(20240229)
cases = []


def x(*shape):
    """Floats from -4 to 4."""
    return (random.integers(-32, 33, shape) / 8).astype(np.float32)


def positive(*shape):
    return (random.integers(1, 33, shape) / 8).astype(np.float32)


def ints(*values, dtype=np.int64):
    return np.array(values, dtype)


def integers(*shape, low=-9, high=10, dtype=np.int64):
    return random.integers(low, high, shape).astype(dtype)


def type_name(array):
    return {np.dtype(k): n for n, (k, _) in TYPES.items()}[array.dtype]


def encoded(array):
    if array is None:
        return None
    name = type_name(array)
    flat = array.reshape(-1)
    if name == "float32":
        # Infinities and NaN are text, as JSON has no numbers for them.
        values = [float(str(v)) if np.isfinite(v) else str(v) for v in flat]
        values = [int(v) if isinstance(v, float) and v == int(v) and v != 0 else v for v in values]
    else:
        values = [int(v) for v in flat]
    return {"type": name, "shape": list(array.shape), "values": values}


def case(op, inputs, outputs=1, output_type=None, domain_opset=OPSET, **attributes):
    names = [f"i{k}" if a is not None else "" for k, a in enumerate(inputs)]
    given = {n: np.ascontiguousarray(a) for n, a in zip(names, inputs) if a is not None}
    # The shape of an array of no dimensions is lost above.
    given = {n: g.reshape(a.shape) for (n, g), a in
             zip(given.items(), [a for a in inputs if a is not None])}
    result_names = [f"o{k}" for k in range(outputs)]
    node = helper.make_node(op, names, result_names, **attributes)
    graph = helper.make_graph(
        [node], "case",
        [helper.make_tensor_value_info(n, TYPES[type_name(a)][1], a.shape)
         for n, a in given.items()],
        [onnx.ValueInfoProto(name=n) for n in result_names])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", domain_opset)], ir_version=10)
    model = onnx.shape_inference.infer_shapes(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Fusion could replace the node by something else.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = session.run(None, given)
    attributes = {
        k: encoded(onnx.numpy_helper.to_array(v)) if isinstance(v, onnx.TensorProto) else v
        for k, v in attributes.items()}
    cases.append({
        "operator": op, "attributes": attributes, "inputs": [encoded(a) for a in inputs],
        "outputs": [encoded(np.asarray(r)) for r in results]})


def convolutions():
    w = x(4, 3, 3, 3)
    case("Conv", [x(2, 3, 5, 7), w], kernel_shape=[3, 3])
    case("Conv", [x(1, 3, 5, 7), w, x(4)], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    case("Conv", [x(1, 3, 6, 9), w, x(4)], kernel_shape=[3, 3], pads=[0, 1, 2, 3], strides=[2, 3])
    case("Conv", [x(1, 3, 7, 9), w], kernel_shape=[3, 3], dilations=[2, 3], pads=[2, 1, 0, 2])
    case("Conv", [x(1, 4, 5, 4), x(6, 2, 2, 3), x(6)], kernel_shape=[2, 3], group=2, pads=[1, 0, 0, 1])
    case("Conv", [x(1, 4, 5, 5), x(8, 1, 3, 3)], kernel_shape=[3, 3], group=4, pads=[1, 1, 1, 1], strides=[2, 2])
    case("Conv", [x(2, 5, 3, 3), x(3, 5, 1, 1), x(3)], kernel_shape=[1, 1])
    case("Conv", [x(1, 5, 4, 3), x(3, 5, 1, 1)], kernel_shape=[1, 1], strides=[2, 2])
    case("Conv", [x(2, 3, 11), x(4, 3, 3), x(4)], kernel_shape=[3], strides=[2], dilations=[2], pads=[1, 2])
    case("Conv", [x(1, 2, 3, 4, 3), x(2, 2, 2, 2, 2)], kernel_shape=[2, 2, 2], pads=[1, 0, 0, 0, 1, 1])
    for auto_pad in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
        case("Conv", [x(1, 1, 6, 7), x(2, 1, 4, 3)], kernel_shape=[4, 3], strides=[3, 2], auto_pad=auto_pad)
        case("Conv", [x(1, 1, 5), x(1, 1, 2)], kernel_shape=[2], auto_pad=auto_pad)
        case("Conv", [x(1, 1, 8), x(1, 1, 1)], kernel_shape=[1], strides=[3], auto_pad=auto_pad)


def pools():
    for op in ["MaxPool", "AveragePool"]:
        case(op, [x(1, 2, 5, 7)], kernel_shape=[2, 3])
        case(op, [x(1, 2, 5, 7)], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])
        case(op, [x(1, 1, 6, 7)], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        case(op, [x(1, 1, 7, 8)], kernel_shape=[3, 3], strides=[2, 3], pads=[1, 1, 1, 1], ceil_mode=1)
        # The last window would begin in the padding at the end: it does not count.
        case(op, [x(1, 1, 5)], kernel_shape=[2], strides=[3], pads=[1, 1], ceil_mode=1)
        case(op, [x(1, 1, 4)], kernel_shape=[1], strides=[2], ceil_mode=1)
        case(op, [x(1, 1, 9, 8)], kernel_shape=[3, 2], dilations=[2, 3], pads=[1, 0, 1, 1])
        case(op, [x(1, 1, 10)], kernel_shape=[3], dilations=[2], strides=[3], ceil_mode=1)
        case(op, [x(1, 1, 4, 4, 3)], kernel_shape=[2, 2, 2], strides=[2, 1, 1])
        for auto_pad in ["SAME_UPPER", "SAME_LOWER"]:
            case(op, [x(1, 1, 5, 6)], kernel_shape=[2, 3], strides=[2, 2], auto_pad=auto_pad)
    case("AveragePool", [x(1, 1, 5, 6)], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    case("AveragePool", [x(1, 1, 6, 7)], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1],
         count_include_pad=1)
    case("AveragePool", [x(1, 1, 6, 7)], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0],
         count_include_pad=1, ceil_mode=1)
    case("AveragePool", [x(1, 1, 6)], kernel_shape=[3], strides=[2], ceil_mode=1, count_include_pad=1)
    case("AveragePool", [x(1, 1, 9)], kernel_shape=[3], dilations=[2], pads=[2, 2], strides=[2], count_include_pad=1)
    case("AveragePool", [x(1, 1, 5, 6)], kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_UPPER", count_include_pad=1)
    for op in ["GlobalAveragePool", "GlobalMaxPool"]:
        case(op, [x(2, 3, 3, 5)])
        case(op, [x(2, 3, 7)])


def products():
    case("Gemm", [x(3, 4), x(4, 5)])
    case("Gemm", [x(3, 4), x(5, 4), x(5)], transB=1)
    case("Gemm", [x(4, 3), x(4, 5), x(3, 1)], transA=1, alpha=0.5, beta=2.0)
    case("Gemm", [x(4, 3), x(5, 4), x()], transA=1, transB=1, alpha=-1.5, beta=0.25)
    case("Gemm", [x(1, 7), x(7, 1), x(1, 1)])
    for a, b in [((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4, 5)),
                 ((2, 1, 3, 4), (3, 4, 2)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((1, 1), (1, 1))]:
        case("MatMul", [x(*a), x(*b)])
    case("MatMul", [integers(2, 3), integers(3, 2)])


def normalisations():
    case("BatchNormalization", [x(2, 3, 2, 3), x(3), x(3), x(3), positive(3)], epsilon=1e-3)
    case("BatchNormalization", [x(4, 3), x(3), x(3), x(3), positive(3)])
    case("LayerNormalization", [x(2, 3, 5), x(5), x(5)], axis=-1, epsilon=1e-5)
    case("LayerNormalization", [x(2, 3, 5), x(3, 5)], axis=1, epsilon=1e-3)
    for axis in [-1, 0, 1]:
        case("Softmax", [x(2, 3, 4)], axis=axis)
    case("Softmax", [np.array([[1000, 999, -1000]], np.float32)], axis=1)


def elementwise():
    for op, attributes in [
        ("Relu", {}), ("LeakyRelu", {"alpha": 0.125}), ("Elu", {"alpha": 1.5}), ("Sigmoid", {}),
        ("HardSigmoid", {"alpha": 0.25, "beta": 0.375}), ("HardSwish", {}), ("Tanh", {}),
        ("Gelu", {}), ("Gelu", {"approximate": "tanh"}), ("Erf", {}), ("Exp", {}), ("Neg", {}),
        ("Abs", {}), ("Floor", {}), ("Ceil", {}), ("Identity", {}),
    ]:
        case(op, [np.arange(-40, 41, 5, np.float32).reshape(1, 17) / 8], **attributes)
    for op in ["Log", "Sqrt", "Reciprocal"]:
        case(op, [positive(9)])
    case("Clip", [x(9), np.float32(-1.5).reshape(()), np.float32(2).reshape(())])
    case("Clip", [x(9), None, np.float32(2).reshape(())])
    case("Clip", [x(9), np.float32(0).reshape(())])
    for op in ["Neg", "Abs", "Relu"]:
        case(op, [ints(-3, 0, 7)] if op != "Relu" else [ints(-3, 0, 7, dtype=np.int32)])
    case("Not", [np.array([True, False, True])])
    for op in ["Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Equal", "Less", "LessOrEqual",
               "Greater", "GreaterOrEqual"]:
        left = positive(2, 3, 4) if op == "Pow" else x(2, 3, 4)
        case(op, [left, positive(3, 1) if op == "Div" else np.round(x(3, 1))])
        left, right = integers(5, 1, low=-5, high=6), integers(4, low=1, high=5)
        case(op, [left, right])
        case(op, [x(), integers().astype(np.float32)] if op not in ["Div", "Pow"]
             else [positive(), positive()])
    case("Div", [ints(-7, 7, -7, 7, 6), ints(2, -2, -2, 2, 3)])
    case("Pow", [x(4), integers(4, low=0, high=4)])
    case("Pow", [integers(4, low=1, high=5), np.array([0.5, 1.5, 2, 3], np.float32)])
    case("Add", [ints(100, -100, 127, dtype=np.int32), ints(2**31 - 1, -2**31, 1, dtype=np.int32)])
    case("Mul", [ints(20, 200, 255, dtype=np.uint8), ints(30, 2, 255, dtype=np.uint8)])
    for op in ["And", "Or"]:
        case(op, [np.array([[True], [False]]), np.array([True, False])])
    case("Where", [np.array([[True], [False]]), x(2, 3), x(3)])
    case("Where", [np.array([True, False, True]), integers(2, 1), integers(3)])


def reductions():
    for op in ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"]:
        case(op, [x(2, 3, 4)], keepdims=0)
        case(op, [x(2, 3, 4), ints(1)], keepdims=1)
        case(op, [x(2, 3, 4), ints(-1, 0)], keepdims=0)
        case(op, [integers(2, 3), ints(-1)], keepdims=1)


def movement():
    case("Reshape", [x(2, 3, 4), ints(0, -1)])
    case("Reshape", [x(2, 3, 4), ints(4, 0, -1)])
    case("Reshape", [x(0, 3), ints(3, 0)], allowzero=1)
    case("Reshape", [x(1), np.array([], np.int64)])
    for axis in [0, 1, 2, 3, -1]:
        case("Flatten", [x(2, 3, 4)], axis=axis)
    case("Squeeze", [x(1, 3, 1, 2)])
    case("Squeeze", [x(1, 3, 1, 2), ints(-2)])
    case("Unsqueeze", [x(2, 3), ints(0, -1)])
    case("Unsqueeze", [x(), ints(0)])
    case("Transpose", [x(2, 3, 4)])
    case("Transpose", [x(2, 3, 4)], perm=[1, 2, 0])
    case("Transpose", [integers(2, 3)], perm=[1, 0])
    case("Concat", [x(2, 1, 2), x(2, 3, 2), x(2, 2, 2)], axis=-2)
    case("Concat", [integers(2), integers(1)], axis=0)
    case("Split", [x(2, 6)], outputs=3, axis=-1, num_outputs=3)
    case("Split", [x(7, 2)], outputs=3, axis=0, num_outputs=3)
    case("Split", [x(2, 6), ints(1, 0, 5)], outputs=3, axis=1)
    case("Slice", [x(5, 6), ints(1), ints(4)])
    case("Slice", [x(5, 6), ints(1, -3), ints(1000, -1), ints(0, 1)])
    case("Slice", [x(5, 6), ints(-1, 10), ints(-1000, 0), ints(-1, 0), ints(-2, -3)])
    case("Slice", [x(5, 6), ints(4), ints(2), ints(0)])
    case("Slice", [x(5, 6), ints(0), ints(2**63 - 1), ints(1), ints(4)])
    case("Slice", [x(4), ints(3), ints(-2**63), ints(0), ints(-1)])
    case("Slice", [x(4), ints(-2), ints(-2**63), ints(0), ints(-2)])
    case("Slice", [integers(4), ints(-9), ints(9), ints(0), ints(3)])
    case("Gather", [x(5, 3), ints(0, -1, 2)])
    case("Gather", [x(2, 5), integers(2, 2, low=-5, high=5)], axis=-1)
    case("Gather", [integers(5), np.int64(2).reshape(())], axis=0)
    case("Pad", [x(2, 3), ints(1, 0, 0, 2)])
    case("Pad", [x(2, 3), ints(0, 1, 1, 0), np.float32(1.5).reshape(())])
    case("Pad", [x(2, 4), ints(2, 1), None, ints(-1)], mode="reflect")
    case("Pad", [x(3, 4), ints(2, 3, 1, 0)], mode="reflect")
    case("Pad", [x(3, 4), ints(2, 5, 1, 0)], mode="edge")
    case("Pad", [x(3, 5), ints(-1, 2, 0, -2)])
    case("Pad", [x(3, 5), ints(-1, 2, 1, -2)], mode="edge")
    case("Pad", [x(3, 6), ints(-1, 2, 1, -2)], mode="reflect")
    case("Pad", [integers(3), ints(1, 1), np.int64(7).reshape(())])
    case("Expand", [x(3, 1), ints(2, 1, 4)])
    case("Expand", [x(2, 3), ints(1)])
    case("Expand", [integers(1), ints(3)])
    case("Shape", [x(2, 3, 4)])
    case("Shape", [x(2, 3, 4)], start=1)
    case("Shape", [x(2, 3, 4)], start=-2, end=-1)
    case("Shape", [x(2, 3, 4)], start=-9, end=9)
    case("Shape", [x(2, 3, 4)], start=2, end=1)
    case("ConstantOfShape", [ints(2, 3)])
    case("ConstantOfShape", [ints(2)], value=onnx.numpy_helper.from_array(ints(7)))
    case("ConstantOfShape", [ints(2, 0)], value=onnx.numpy_helper.from_array(ints(1, dtype=np.bool_)))
    case("ConstantOfShape", [np.array([], np.int64)],
         value=onnx.numpy_helper.from_array(np.array([1.5], np.float32)))
    s = lambda v, t=np.int64: np.array(v, t)
    case("Range", [s(0), s(7), s(3)])
    case("Range", [s(7), s(-2), s(-3)])
    case("Range", [s(3), s(3), s(1)])
    case("Range", [s(1, np.float32), s(2, np.float32), s(0.375, np.float32)])


def casts():
    values = np.array([-2.75, -0.5, 0, 0.5, 1, 2.75, 100.25], np.float32)
    for name in ["float32", "int64", "int32", "int8", "bool"]:
        case("Cast", [values], to=TYPES[name][1])
        case("Cast", [ints(-129, -1, 0, 1, 128, 300)], to=TYPES[name][1])
    case("Cast", [np.abs(values)], to=TYPES["uint8"][1])
    case("Cast", [ints(-1, 255, 256, 511)], to=TYPES["uint8"][1])
    case("Cast", [np.array([True, False])], to=TYPES["float32"][1])


for part in [convolutions, pools, products, normalisations, elementwise, reductions, movement, casts]:
    part()
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
versions = json.dumps({"onnxruntime": onnxruntime.__version__, "opset": OPSET})
path = pathlib.Path(__file__).with_name("expected.json")
path.write_text(f'{{"made by":{versions},"cases":[\n{lines}\n]}}\n')
print(len(cases), "cases,", path.stat().st_size, "bytes")
