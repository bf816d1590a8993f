"""Operators with weights, pooling, normalisation and activations, each in the variants that differ."""
from __future__ import annotations

from functools import partial

import numpy as np

from operator_graph import Graph, case


def conv(g: Graph, x: tuple, w: tuple, bias: bool = True, kind: str = "raw", **attributes) -> None:
    """X of shape x, W of shape w."""
    weights = [g.weight(g.normal(*w), kind)] + [g.weight(g.normal(w[0]), kind)] * bias
    g.output(g.node("Conv", g.input(g.normal(*x), (0,)), *weights, **attributes))


CONVOLUTIONS = {
    "3x3": ((2, 3, 12, 12), (8, 3, 3, 3), dict(pads=[1] * 4)),
    "no bias": ((1, 3, 12, 12), (8, 3, 3, 3), dict(bias=False)),
    "1x1": ((1, 16, 7, 7), (24, 16, 1, 1), {}),
    "1x1 stride 2": ((1, 16, 9, 7), (24, 16, 1, 1), dict(strides=[2, 2])),
    "7x7 stride 2, odd image": ((1, 3, 97, 131), (16, 3, 7, 7), dict(strides=[2, 2], pads=[3] * 4)),
    "5x3 kernel, 3x1 stride": ((2, 4, 23, 19), (6, 4, 5, 3), dict(strides=[3, 1], pads=[2, 1, 2, 1])),
    "asymmetric pads": ((1, 4, 11, 13), (6, 4, 3, 3), dict(pads=[0, 1, 2, 3])),
    "dilation 2x3": ((1, 4, 17, 19), (6, 4, 3, 3), dict(dilations=[2, 3], pads=[2, 3, 2, 3])),
    "dilation, stride": ((1, 4, 21, 21), (6, 4, 3, 3), dict(dilations=[2, 2], strides=[2, 2])),
    "groups 4": ((2, 16, 9, 9), (24, 4, 3, 3), dict(group=4, pads=[1] * 4)),
    "groups 3, odd channels": ((1, 15, 9, 11), (21, 5, 3, 3), dict(group=3)),
    "depthwise": ((2, 19, 15, 13), (19, 1, 3, 3), dict(group=19, pads=[1] * 4)),
    "depthwise 5x5 stride 2": ((1, 32, 15, 15), (32, 1, 5, 5), dict(group=32, strides=[2, 2], pads=[2] * 4)),
    "depthwise multiplier 2": ((1, 8, 9, 9), (16, 1, 3, 3), dict(group=8, pads=[1] * 4)),
    "depthwise dilation": ((1, 16, 15, 15), (16, 1, 3, 3), dict(group=16, dilations=[2, 2])),
    "SAME_UPPER": ((1, 3, 14, 13), (5, 3, 4, 3), dict(auto_pad="SAME_UPPER", strides=[2, 2])),
    "SAME_LOWER": ((1, 3, 14, 13), (5, 3, 4, 3), dict(auto_pad="SAME_LOWER", strides=[2, 2])),
    "SAME_UPPER stride 1": ((1, 3, 14, 13), (5, 3, 2, 4), dict(auto_pad="SAME_UPPER")),
    "VALID": ((1, 3, 14, 13), (5, 3, 3, 3), dict(auto_pad="VALID", strides=[2, 1])),
    "1-D": ((2, 5, 33), (7, 5, 3), dict(pads=[1, 1])),
    "1-D stride, dilation, groups": ((1, 6, 40), (8, 3, 5), dict(strides=[3], dilations=[2], group=2, pads=[4, 3])),
    "1-D depthwise": ((1, 12, 31), (12, 1, 7), dict(group=12, pads=[3, 3])),
    "1-D SAME_LOWER": ((1, 4, 30), (6, 4, 4), dict(auto_pad="SAME_LOWER", strides=[2])),
    "batch 32": ((32, 8, 14, 14), (16, 8, 3, 3), dict(pads=[1] * 4)),
    "batch 32 depthwise": ((32, 24, 7, 9), (24, 1, 3, 3), dict(group=24, pads=[1] * 4)),
    "image smaller than kernel": ((1, 3, 2, 2), (4, 3, 5, 5), dict(pads=[2] * 4)),
    "one channel": ((1, 1, 28, 28), (6, 1, 5, 5), dict(pads=[2] * 4)),
    "typed weights": ((1, 3, 8, 8), (4, 3, 3, 3), dict(kind="typed")),
    "Constant nodes": ((1, 3, 8, 8), (4, 3, 3, 3), dict(kind="constant")),
    "weights listed as inputs": ((1, 3, 8, 8), (4, 3, 3, 3), dict(kind="input")),
}
for name, (x, w, attributes) in CONVOLUTIONS.items():
    case(f"Conv {name}", "Conv", partial(conv, x=x, w=w, **attributes))


def half_weights(g: Graph) -> None:
    """F16 initializers, cast to F32 in the graph."""
    half = [g.normal(8, 3, 3, 3).astype(np.float16), g.normal(8).astype(np.float16)]
    weights = [g.node("Cast", g.weight(value), to=1) for value in half]
    g.output(g.node("Conv", g.input(g.normal(2, 3, 9, 11)), *weights))


case("Conv F16 initializers", "Conv", half_weights)


def pool(g: Graph, operator: str, x: tuple, **attributes) -> None:
    """Values below zero, so that padding with zeros would show in a maximum."""
    g.output(g.node(operator, g.input(g.normal(*x) - 2, (0,)), **attributes))


POOLS = {
    "2x2": ((2, 3, 8, 8), dict(kernel_shape=[2, 2], strides=[2, 2])),
    "3x3 stride 2, odd image": ((1, 5, 49, 65), dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)),
    "ceil_mode": ((1, 4, 10, 13), dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)),
    "ceil_mode, pads": ((1, 4, 10, 13), dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, pads=[1] * 4)),
    "asymmetric pads": ((1, 4, 11, 12), dict(kernel_shape=[4, 3], strides=[3, 2], pads=[1, 0, 2, 1])),
    "SAME_UPPER": ((1, 3, 11, 14), dict(kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER")),
    "SAME_LOWER": ((1, 3, 11, 14), dict(kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_LOWER")),
    "VALID": ((1, 3, 11, 14), dict(kernel_shape=[3, 2], strides=[2, 2], auto_pad="VALID")),
    "1-D": ((1, 3, 17), dict(kernel_shape=[3], strides=[2], pads=[1, 0])),
    "batch 32": ((32, 6, 7, 9), dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)),
}
for name, (x, attributes) in POOLS.items():
    for operator in ("MaxPool", "AveragePool"):
        case(f"{operator} {name}", operator, partial(pool, operator=operator, x=x, **attributes))
COUNTED = dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, count_include_pad=1)
case("AveragePool count_include_pad", "AveragePool",
     partial(pool, operator="AveragePool", x=(1, 4, 9, 12), **COUNTED))
case("AveragePool count_include_pad, ceil_mode", "AveragePool",
     partial(pool, operator="AveragePool", x=(1, 4, 10, 13), ceil_mode=1, **COUNTED))
case("AveragePool dilation", "AveragePool",
     partial(pool, operator="AveragePool", x=(1, 4, 11, 13), kernel_shape=[3, 2], dilations=[2, 3]), 19)
case("MaxPool dilation", "MaxPool",
     partial(pool, operator="MaxPool", x=(1, 4, 11, 13), kernel_shape=[3, 2], dilations=[2, 3]))
for operator in ("GlobalAveragePool", "GlobalMaxPool"):
    case(f"{operator} odd image", operator, partial(pool, operator=operator, x=(2, 7, 5, 9)))
case("GlobalAveragePool 1-D", "GlobalAveragePool",
     partial(pool, operator="GlobalAveragePool", x=(3, 7, 11)))


def gemm(g: Graph, a: tuple, b: tuple, c: tuple | None, **attributes) -> None:
    C = [] if c is None else [g.weight(g.normal(*c))]
    g.output(g.node("Gemm", g.input(g.normal(*a)), g.weight(g.normal(*b)), *C, **attributes))


GEMMS = {
    "plain": ((3, 7), (7, 5), (5,), {}),
    "transB": ((3, 7), (5, 7), (5,), dict(transB=1)),
    "transA": ((7, 3), (7, 5), (5,), dict(transA=1)),
    "both transposed, alpha, beta": ((7, 3), (5, 7), (3, 5), dict(transA=1, transB=1, alpha=0.5, beta=-2.0)),
    "no C": ((3, 7), (5, 7), None, dict(transB=1, alpha=0.25)),
    "C a column": ((3, 7), (7, 5), (3, 1), {}),
    "C a scalar": ((3, 7), (7, 5), (), dict(beta=3.0)),
    "beta 0": ((3, 7), (7, 5), (5,), dict(beta=0.0)),
    "batch 32": ((32, 129), (65, 129), (65,), dict(transB=1)),
}
for name, (a, b, c, attributes) in GEMMS.items():
    case(f"Gemm {name}", "Gemm", partial(gemm, a=a, b=b, c=c, **attributes))


def matmul(g: Graph, a: tuple, b: tuple, constant: bool) -> None:
    B = g.normal(*b)
    g.output(g.node("MatMul", g.input(g.normal(*a)), g.weight(B) if constant else g.input(B)))


MATMULS = {
    "2 x 2": ((5, 7), (7, 3), True),
    "3 x 2": ((2, 5, 7), (7, 3), True),
    "3 x 3": ((2, 5, 7), (2, 7, 3), False),
    "4 x 4": ((2, 3, 5, 7), (2, 3, 7, 4), False),
    "broadcast 4 x 3": ((2, 3, 5, 7), (3, 7, 4), False),
    "broadcast ones": ((2, 1, 5, 7), (1, 3, 7, 4), False),
    "2 x 3": ((5, 7), (4, 7, 3), False),
    "1 x 2": ((7,), (7, 3), True),
    "3 x 1": ((2, 5, 7), (7,), True),
    "1 x 1": ((7,), (7,), False),
    "1 x 3": ((7,), (4, 7, 3), False),
    "batch 32": ((32, 9, 48), (48, 96), True),
    "constant of rank 3": ((2, 5, 7), (2, 7, 3), True),
}
for name, (a, b, constant) in MATMULS.items():
    case(f"MatMul {name}", "MatMul", partial(matmul, a=a, b=b, constant=constant))


def batch_normalization(g: Graph, x: tuple, **attributes) -> None:
    C = x[1]
    variance = np.abs(g.normal(C)) + np.float32(0.1)
    parameters = [g.weight(value) for value in (g.normal(C), g.normal(C), g.normal(C), variance)]
    g.output(g.node("BatchNormalization", g.input(g.normal(*x)), *parameters, **attributes))


case("BatchNormalization images", "BatchNormalization", partial(batch_normalization, x=(2, 5, 7, 9)))
case("BatchNormalization epsilon", "BatchNormalization", partial(batch_normalization, x=(2, 5, 7, 9), epsilon=0.1))
case("BatchNormalization vectors", "BatchNormalization", partial(batch_normalization, x=(4, 6)))
case("BatchNormalization 1-D", "BatchNormalization", partial(batch_normalization, x=(2, 5, 11)))


def conv_batch_normalization(g: Graph, groups: int) -> None:
    """What a plan folds."""
    x, w = g.input(g.normal(2, 8, 9, 11), (0,)), g.weight(g.normal(12, 8 // groups, 3, 3))
    scale, bias, mean = (g.weight(g.normal(12)) for _ in range(3))
    variance = g.weight(np.abs(g.normal(12)) + np.float32(0.1))
    y = g.node("Conv", x, w, pads=[1] * 4, group=groups)
    y = g.node("BatchNormalization", y, scale, bias, mean, variance)
    g.output(g.node("Relu", y))


for groups in (1, 4):
    case(f"Conv, BatchNormalization, Relu, {groups} groups", "Conv",
         partial(conv_batch_normalization, groups=groups))


def residual(g: Graph, relu_first: bool) -> None:
    """A convolution added to its input, which another node reads too."""
    x, w = g.input(g.normal(1, 8, 7, 9)), g.weight(g.normal(8, 8, 3, 3))
    y = g.node("Conv", x, w, pads=[1] * 4)
    y = g.node("Add", g.node("Relu", y), x) if relu_first else g.node("Relu", g.node("Add", y, x))
    g.output(g.node("Add", y, g.node("Sigmoid", x)))


case("Conv, Add, Relu", "Conv", partial(residual, relu_first=False))
case("Conv, Relu, Add", "Conv", partial(residual, relu_first=True))


def shared_weight(g: Graph) -> None:
    """Two convolutions with one weight, and an intermediate value that is an output as well."""
    w = g.weight(g.normal(6, 6, 3, 3))
    middle = g.node("Relu", g.node("Conv", g.input(g.normal(1, 6, 9, 9)), w, pads=[1] * 4))
    g.output(middle)
    g.output(g.node("Conv", middle, w, strides=[2, 2]))


case("Conv weight used twice, two outputs", "Conv", shared_weight)


def layer_normalization(g: Graph, x: tuple, bias: bool = True, **attributes) -> None:
    shape = x[attributes.get("axis", -1):]
    weights = [g.weight(g.normal(*shape)) for _ in range(1 + bias)]
    g.output(g.node("LayerNormalization", g.input(g.normal(*x) + 3), *weights, **attributes))


case("LayerNormalization last", "LayerNormalization", partial(layer_normalization, x=(2, 5, 48)), 17)
case("LayerNormalization axis 1", "LayerNormalization", partial(layer_normalization, x=(2, 5, 7), axis=1), 17)
case("LayerNormalization no bias, epsilon", "LayerNormalization",
     partial(layer_normalization, x=(3, 31), bias=False, epsilon=1e-12), 17)
case("LayerNormalization batch 32", "LayerNormalization", partial(layer_normalization, x=(32, 7, 64)), 17)


def softmax(g: Graph, x: tuple, **attributes) -> None:
    g.output(g.node("Softmax", g.input(10 * g.normal(*x)), **attributes))


for axis in (None, 0, 1, 2, -1):
    case(f"Softmax axis {axis}", "Softmax",
         partial(softmax, x=(3, 5, 7), **({} if axis is None else {"axis": axis})))
case("Softmax attention", "Softmax", partial(softmax, x=(2, 4, 9, 33), axis=-1))


def unary(g: Graph, operator: str, positive: bool = False, scale: float = 3, **attributes) -> None:
    x = np.float32(scale) * g.normal(2, 3, 5, 7)
    x = np.abs(x) + np.float32(0.01) if positive else x
    g.output(g.node(operator, g.input(x), **attributes))


for operator in ("Relu", "LeakyRelu", "Elu", "Sigmoid", "HardSigmoid", "Tanh", "Erf", "Exp", "Neg", "Abs",
                 "Floor", "Ceil", "Identity", "Reciprocal"):
    case(operator, operator, partial(unary, operator=operator))
for operator in ("Sqrt", "Log"):
    case(operator, operator, partial(unary, operator=operator, positive=True))
case("LeakyRelu alpha", "LeakyRelu", partial(unary, operator="LeakyRelu", alpha=0.3))
case("Elu alpha", "Elu", partial(unary, operator="Elu", alpha=0.5))
case("HardSigmoid alpha, beta", "HardSigmoid", partial(unary, operator="HardSigmoid", alpha=1 / 6, beta=0.5))
case("Sigmoid of large values", "Sigmoid", partial(unary, operator="Sigmoid", scale=60))
case("Tanh of large values", "Tanh", partial(unary, operator="Tanh", scale=60))
case("HardSwish", "HardSwish", partial(unary, operator="HardSwish"), 14)
case("Gelu", "Gelu", partial(unary, operator="Gelu"), 20)
case("Gelu tanh", "Gelu", partial(unary, operator="Gelu", approximate="tanh"), 20)


def clip(g: Graph, low: float | None, high: float | None) -> None:
    bounds = ["" if bound is None else g.weight(np.float32(bound)) for bound in (low, high)]
    while bounds and not bounds[-1]:
        bounds.pop()
    g.output(g.node("Clip", g.input(4 * g.normal(2, 3, 5, 7)), *bounds))


for low, high in ((0, 6), (-1, None), (None, 0.5), (None, None)):
    case(f"Clip {low} to {high}", "Clip", partial(clip, low=low, high=high))


def silu(g: Graph, after_conv: bool) -> None:
    x = g.input(g.normal(1, 4, 9, 9))
    if after_conv:
        x = g.node("Conv", x, g.weight(g.normal(6, 4, 3, 3)), g.weight(g.normal(6)))
    g.output(g.node("Mul", x, g.node("Sigmoid", x)))


def hard_swish_pattern(g: Graph) -> None:
    """x HardSigmoid(x), as exporters write it for older opsets."""
    x = g.input(3 * g.normal(1, 4, 9, 9))
    g.output(g.node("Mul", x, g.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)))


def gelu_pattern(g: Graph) -> None:
    """x (1 + erf(x / sqrt 2)) / 2, as exporters write it before opset 20."""
    x = g.input(3 * g.normal(2, 5, 16))
    erf = g.node("Erf", g.node("Div", x, g.weight(np.float32(2**0.5))))
    y = g.node("Mul", x, g.node("Add", erf, g.weight(np.float32(1))))
    g.output(g.node("Mul", y, g.weight(np.float32(0.5))))


def normalization_pattern(g: Graph) -> None:
    """Layer normalisation in pieces, as exporters write it before opset 17."""
    x = g.input(g.normal(2, 5, 16))
    centred = g.node("Sub", x, g.node_along("ReduceMean", x, [-1], since=18, keepdims=1))
    squares = g.node("Pow", centred, g.weight(np.float32(2)))
    variance = g.node_along("ReduceMean", squares, [-1], since=18, keepdims=1)
    deviation = g.node("Sqrt", g.node("Add", variance, g.weight(np.float32(1e-5))))
    g.output(g.node("Mul", g.node("Div", centred, deviation), g.weight(g.normal(16))))


case("Silu pattern", "Mul", partial(silu, after_conv=False))
case("Conv and Silu pattern", "Mul", partial(silu, after_conv=True))
case("HardSwish pattern", "HardSigmoid", hard_swish_pattern)
case("Gelu pattern", "Erf", gelu_pattern)
case("LayerNormalization pattern", "ReduceMean", normalization_pattern)


def dropout(g: Graph) -> None:
    x = g.input(g.normal(2, 5))
    g.output(g.node("Dropout", x) if g.opset >= 12 else g.node("Dropout", x, ratio=0.3))


case("Dropout", "Dropout", dropout)
