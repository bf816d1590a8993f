"""Arithmetic of two values, reductions, and operators that move, select or count elements."""
from __future__ import annotations

from functools import partial

import numpy as np
from onnx import TensorProto

from operator_graph import Graph, case

INT64, BOOL = TensorProto.INT64, TensorProto.BOOL


def binary(g: Graph, operator: str, a: tuple, b: tuple, constant: bool = False) -> None:
    """Operands near 2, so that quotients and powers are tame."""
    A, B = 2 + 0.3 * g.normal(*a), 2 + 0.3 * g.normal(*b)
    A, B = A.astype(np.float32), B.astype(np.float32)
    g.output(g.node(operator, g.input(A), g.weight(B) if constant else g.input(B)))


for operator in ("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max"):
    case(operator, operator, partial(binary, operator=operator, a=(2, 3, 5), b=(2, 3, 5)))
    case(f"{operator} broadcast", operator, partial(binary, operator=operator, a=(3, 1), b=(2, 1, 5)))
case("Mul by a channel each", "Mul", partial(binary, operator="Mul", a=(2, 6, 5, 7), b=(2, 6, 1, 1)))
case("Add a scalar", "Add", partial(binary, operator="Add", a=(2, 6, 5), b=(), constant=True))
case("Add a vector first", "Add", partial(binary, operator="Add", a=(5,), b=(2, 6, 5), constant=True))
case("Add batch 32", "Add", partial(binary, operator="Add", a=(32, 6, 5, 7), b=(6, 5, 7), constant=True))


def integer_arithmetic(g: Graph) -> None:
    """Division of integers goes towards zero."""
    x = g.input(np.array([-7, -1, 0, 5, 9], np.int64))
    y = g.node("Div", g.node("Mul", x, g.integers(3)), g.integers(2))
    g.output(g.node("Sub", g.node("Add", y, g.integers(4)), x), INT64)


def where(g: Graph, comparison: str) -> None:
    x, y = g.input(g.normal(2, 3, 5)), g.input(g.normal(3, 1))
    g.output(g.node("Where", g.node(comparison, x, y), x, g.weight(np.float32(-7))))


def where_of_input(g: Graph) -> None:
    mask = g.input(g.random.integers(0, 2, (2, 1, 5)).astype(bool))
    g.output(g.node("Where", mask, g.input(g.normal(3, 5)), g.input(g.normal(2, 3, 1))))


def logic(g: Graph) -> None:
    """Equal, And, Or, Not as numbers."""
    x = g.input(g.random.integers(0, 3, (3, 5)).astype(np.int64))
    small = g.node("Less", x, g.integers(2))
    y = g.node("Or", g.node("Equal", x, g.integers(2)), g.node("Not", small))
    g.output(g.node("Cast", g.node("And", y, g.node("Greater", x, g.integers(0))), to=INT64), INT64)


case("Integer arithmetic", "Div", integer_arithmetic)
case("Where Greater", "Where", partial(where, comparison="Greater"))
case("Where Less", "Where", partial(where, comparison="Less"))
case("Where LessOrEqual", "Where", partial(where, comparison="LessOrEqual"), 12)
case("Where GreaterOrEqual", "Where", partial(where, comparison="GreaterOrEqual"), 12)
case("Where boolean input", "Where", where_of_input)
case("Equal, And, Or, Not", "And", logic)


def reduce(g: Graph, operator: str, axes: list | None, keepdims: int, since: int = 18) -> None:
    x = g.input(g.normal(2, 5, 6, 7))
    if axes is None:
        g.output(g.node(operator, x, keepdims=keepdims))
    else:
        g.output(g.node_along(operator, x, axes, since, keepdims=keepdims))


for axes, keepdims in (([2, 3], 1), ([-1], 1), ([1], 0), ([0, 2], 0), (None, 0), ([-2, -1], 0)):
    case(f"ReduceMean axes {axes}, keepdims {keepdims}", "ReduceMean",
         partial(reduce, operator="ReduceMean", axes=axes, keepdims=keepdims))
for operator, since in (("ReduceSum", 13), ("ReduceMax", 18), ("ReduceMin", 18)):
    case(operator, operator, partial(reduce, operator=operator, axes=[-1], keepdims=0, since=since))


def concat(g: Graph, axis: int, sizes: list[int]) -> None:
    shapes = [[2, 3, 4, 5] for _ in sizes]
    for shape, size in zip(shapes, sizes):
        shape[axis] = size
    g.output(g.node("Concat", *(g.input(g.normal(*shape)) for shape in shapes), axis=axis))


for axis, sizes in ((1, [3, 5, 1]), (0, [2, 1]), (-1, [4, 3]), (2, [6])):
    case(f"Concat axis {axis} of {len(sizes)}", "Concat", partial(concat, axis=axis, sizes=sizes))


def split(g: Graph, axis: int, sizes: list[int] | None, count: int) -> None:
    inputs, attributes = [g.input(g.normal(4, 9, 6))], {"axis": axis}
    if sizes and g.opset >= 13:
        inputs.append(g.integers(*sizes))
    elif sizes:
        attributes["split"] = sizes
    elif g.opset >= 18:
        attributes["num_outputs"] = count
    for name in g.parts("Split", inputs, count, **attributes):
        g.output(name)


case("Split equally", "Split", partial(split, axis=1, sizes=None, count=3))
case("Split by sizes", "Split", partial(split, axis=1, sizes=[2, 3, 4], count=3))
case("Split last axis", "Split", partial(split, axis=-1, sizes=[1, 5], count=2))
case("Split with a smaller last", "Split", partial(split, axis=1, sizes=None, count=2), 18)


def gather(g: Graph, shape: tuple, indices, axis: int, constant: bool = True) -> None:
    indices = np.array(indices, np.int64)
    table = g.normal(*shape)
    if constant:
        g.output(g.node("Gather", g.input(table), g.weight(indices), axis=axis))
    else:
        g.output(g.node("Gather", g.weight(table), g.input(indices, (0, 1)), axis=axis))


case("Gather axis 0", "Gather", partial(gather, shape=(7, 3), indices=[2, 0, 6, 2], axis=0))
case("Gather one index", "Gather", partial(gather, shape=(4, 5, 6), indices=2, axis=1))
case("Gather negative", "Gather", partial(gather, shape=(4, 5, 6), indices=[[-1, 0], [1, -5]], axis=1))
case("Gather embedding", "Gather",
     partial(gather, shape=(50, 16), indices=[[3, 49, 0], [7, 7, 21]], axis=0, constant=False))


def slice_(g: Graph, starts: list, ends: list, axes: list | None, steps: list | None) -> None:
    rest = [[], [axes], [list(range(len(starts))), steps], [axes, steps]]
    arguments = rest[(axes is not None) + 2 * (steps is not None)]
    bounds = [g.integers(*values) for values in (starts, ends, *arguments)]
    g.output(g.node("Slice", g.input(g.normal(4, 9, 10)), *bounds))


FAR = 2**63 - 1
case("Slice leading axes", "Slice", partial(slice_, starts=[1, 2], ends=[3, 7], axes=None, steps=None))
case("Slice negative", "Slice", partial(slice_, starts=[-5], ends=[-1], axes=[-1], steps=None))
case("Slice steps", "Slice", partial(slice_, starts=[1, 0], ends=[FAR, 9], axes=[1, 2], steps=[2, 3]))
case("Slice backwards", "Slice", partial(slice_, starts=[-1], ends=[-FAR], axes=[1], steps=[-2]))
case("Slice beyond the end", "Slice", partial(slice_, starts=[2], ends=[100], axes=[2], steps=None))


def pad(g: Graph, pads: list, mode: str, value: float | None = None, axes: list | None = None) -> None:
    optional = [] if value is None else [g.weight(np.float32(value))]
    if axes:
        optional = (optional or [""]) + [g.integers(*axes)]
    g.output(g.node("Pad", g.input(g.normal(2, 3, 6, 7)), g.integers(*pads), *optional, mode=mode))


case("Pad constant", "Pad", partial(pad, pads=[0, 0, 1, 2, 0, 0, 3, 0], mode="constant"))
case("Pad with a value", "Pad", partial(pad, pads=[0, 1, 1, 2, 0, 0, 3, 0], mode="constant", value=-1.5))
case("Pad reflect", "Pad", partial(pad, pads=[0, 0, 2, 3, 0, 0, 1, 4], mode="reflect"))
case("Pad edge", "Pad", partial(pad, pads=[0, 0, 2, 3, 0, 0, 1, 4], mode="edge"))
case("Pad cuts off", "Pad", partial(pad, pads=[0, 0, -1, 2, 0, 0, 0, -3], mode="constant"))
case("Pad axes", "Pad", partial(pad, pads=[1, 2, 0, 3], mode="constant", axes=[-2, -1]), 18)


def padded_conv(g: Graph) -> None:
    """A Pad in front of a convolution, as TensorFlow's models have it."""
    x = g.node("Pad", g.input(g.normal(1, 3, 14, 15)), g.integers(0, 0, 0, 1, 0, 0, 1, 1))
    g.output(g.node("Conv", x, g.weight(g.normal(4, 3, 3, 3)), strides=[2, 2]))


case("Pad and Conv", "Pad", padded_conv)


def transpose(g: Graph, shape: tuple, **attributes) -> None:
    g.output(g.node("Transpose", g.input(g.normal(*shape)), **attributes))


case("Transpose reversed", "Transpose", partial(transpose, shape=(2, 3, 5)))
case("Transpose heads", "Transpose", partial(transpose, shape=(2, 5, 4, 6), perm=[0, 2, 1, 3]))
case("Transpose to channels last", "Transpose", partial(transpose, shape=(2, 3, 5, 7), perm=[0, 2, 3, 1]))


def reshape(g: Graph, shape: list, **attributes) -> None:
    g.output(g.node("Reshape", g.input(g.normal(2, 3, 4, 5), (0,)), g.integers(*shape), **attributes))


case("Reshape", "Reshape", partial(reshape, shape=[6, 20]))
case("Reshape -1", "Reshape", partial(reshape, shape=[-1, 10]))
case("Reshape 0 keeps", "Reshape", partial(reshape, shape=[0, 0, -1]))
case("Reshape allowzero", "Reshape", partial(reshape, shape=[-1, 60], allowzero=1), 14)


def flatten(g: Graph, axis: int) -> None:
    g.output(g.node("Flatten", g.input(g.normal(2, 3, 4, 5)), axis=axis))


for axis in (0, 1, 3, -1):
    case(f"Flatten axis {axis}", "Flatten", partial(flatten, axis=axis))


def ones(g: Graph, operator: str, axes: list) -> None:
    shape = (1, 3, 1, 5) if operator == "Squeeze" else (3, 5)
    g.output(g.node_along(operator, g.input(g.normal(*shape)), axes, since=13))


case("Squeeze", "Squeeze", partial(ones, operator="Squeeze", axes=[0, 2]))
case("Squeeze negative", "Squeeze", partial(ones, operator="Squeeze", axes=[-2]))
case("Unsqueeze", "Unsqueeze", partial(ones, operator="Unsqueeze", axes=[0, 2]))
case("Unsqueeze negative", "Unsqueeze", partial(ones, operator="Unsqueeze", axes=[-1]))
case("Squeeze all", "Squeeze", lambda g: g.output(g.node("Squeeze", g.input(g.normal(1, 3, 1)))))


def expand(g: Graph, shape: tuple, target: list) -> None:
    g.output(g.node("Expand", g.input(g.normal(*shape)), g.integers(*target)))


case("Expand", "Expand", partial(expand, shape=(3, 1), target=[2, 3, 4]))
case("Expand keeps larger", "Expand", partial(expand, shape=(2, 3, 4), target=[3, 1]))


def cast(g: Graph, source, target: int) -> None:
    x = np.array([[-2.7, -0.5, 0.0], [0.5, 1.5, 300.2]]).astype(source)
    g.output(g.node("Cast", g.input(x), to=target), target)


case("Cast to int64", "Cast", partial(cast, source=np.float32, target=INT64))
case("Cast to int32", "Cast", partial(cast, source=np.float32, target=TensorProto.INT32))
case("Cast to bool", "Cast", partial(cast, source=np.float32, target=BOOL))
case("Cast int64 to float", "Cast", partial(cast, source=np.int64, target=TensorProto.FLOAT))
case("Cast int32 to int64", "Cast", partial(cast, source=np.int32, target=INT64))
case("Cast bool to float", "Cast", partial(cast, source=bool, target=TensorProto.FLOAT))


def shape(g: Graph, **attributes) -> None:
    g.output(g.node("Shape", g.input(g.normal(2, 3, 5, 7), (0, 2, 3)), **attributes), INT64)


case("Shape", "Shape", shape)
case("Shape from start to end", "Shape", partial(shape, start=-3, end=-1), 15)


def flatten_by_shape(g: Graph) -> None:
    """x.view(x.size(0), -1) as torch writes it."""
    x = g.input(g.normal(3, 4, 5), (0,))
    batch = g.node("Gather", g.node("Shape", x), g.weight(np.int64(0)), axis=0)
    batch = g.node_along("Unsqueeze", batch, [0], since=13)
    g.output(g.node("Reshape", x, g.node("Concat", batch, g.integers(-1), axis=0)))


def expand_to_shape(g: Graph) -> None:
    """A class token in front of every image's."""
    x = g.input(g.normal(3, 4, 5), (0,))
    batch = g.node("Slice", g.node("Shape", x), g.integers(0), g.integers(1), g.integers(0))
    shape = g.node("Concat", batch, g.integers(1, 5), axis=0)
    token = g.node("Expand", g.weight(g.normal(1, 1, 5)), shape)
    g.output(g.node("Concat", token, x, axis=1))


def positions(g: Graph) -> None:
    """Range over the sequence, looked up in a table."""
    ids = g.input(g.random.integers(0, 20, (2, 9)).astype(np.int64), (0, 1))
    length = g.node("Gather", g.node("Shape", ids), g.weight(np.int64(1)), axis=0)
    rows = g.node("Range", g.weight(np.int64(0)), length, g.weight(np.int64(1)))
    words = g.node("Gather", g.weight(g.normal(20, 8)), ids)
    g.output(g.node("Add", words, g.node("Gather", g.weight(g.normal(64, 8)), rows)))


def filled(g: Graph) -> None:
    """ConstantOfShape of a value's own shape."""
    x = g.input(g.normal(3, 4), (0, 1))
    value = TensorProto(dims=[1], data_type=TensorProto.FLOAT, float_data=[2.5])
    g.output(g.node("Sub", x, g.node("ConstantOfShape", g.node("Shape", x), value=value)))


def heads(g: Graph) -> None:
    """Attention of two heads whose shapes are computed in the graph."""
    x = g.input(g.normal(2, 7, 16), (0, 1))
    size = g.node("Slice", g.node("Shape", x), g.integers(0), g.integers(2), g.integers(0))
    split = g.node("Concat", size, g.integers(2, 8), axis=0)
    Q, K, V = (g.node("Reshape", g.node("MatMul", x, g.weight(g.normal(16, 16) / 4)), split)
               for _ in range(3))
    Q, V = (g.node("Transpose", value, perm=[0, 2, 1, 3]) for value in (Q, V))
    scores = g.node("MatMul", Q, g.node("Transpose", K, perm=[0, 2, 3, 1]))
    scores = g.node("Div", scores, g.weight(np.float32(8**0.5)))
    y = g.node("MatMul", g.node("Softmax", scores, axis=-1 if g.opset >= 13 else 3), V)
    y = g.node("Transpose", y, perm=[0, 2, 1, 3])
    g.output(g.node("Reshape", y, g.node("Concat", size, g.integers(16), axis=0)))


case("Reshape by Shape", "Shape", flatten_by_shape)
case("Expand by Shape", "Expand", expand_to_shape)
case("Range of positions", "Range", positions)
case("ConstantOfShape of Shape", "ConstantOfShape", filled)
case("Attention", "MatMul", heads)
