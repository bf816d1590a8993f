"""A small ONNX graph under construction: inputs with values, weights, nodes, outputs."""
from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Arrays = dict[str, np.ndarray]


class Graph:
    """One model of one opset. Every method that adds something returns the name of its value."""

    def __init__(self, name: str, opset: int):
        self.name, self.opset = name, opset
        self.random = np.random.default_rng(zlib.crc32(name.encode()))
        self.values: Arrays = {}
        self.inputs, self.outputs, self.nodes, self.weights = [], [], [], []

    def normal(self, *shape: int) -> np.ndarray:
        """Standard normal F32."""
        return self.random.standard_normal(shape).astype(np.float32)

    def input(self, value: np.ndarray, dynamic: tuple[int, ...] = ()) -> str:
        """A graph input that is run with `value`; dimensions in `dynamic` have no fixed size."""
        name = f"x{len(self.values)}"
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        shape = [f"{name}_{i}" if i in dynamic else size for i, size in enumerate(value.shape)]
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        self.values[name] = value
        return name

    def weight(self, value, kind: str = "raw") -> str:
        """An initializer; `kind`: raw bytes, typed numbers, a Constant node, or an input's default."""
        value, name = np.asarray(value), f"w{len(self.weights) + len(self.nodes)}"
        tensor = numpy_helper.from_array(value, name)
        if kind == "typed":
            tensor = helper.make_tensor(name, tensor.data_type, value.shape, value.ravel())
        if kind == "constant":
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
            return name
        if kind == "input":
            self.inputs.append(helper.make_tensor_value_info(name, tensor.data_type, value.shape))
        self.weights.append(tensor)
        return name

    def integers(self, *values: int) -> str:
        """A weight of int64, as shapes and axes are."""
        return self.weight(np.array(values, np.int64))

    def parts(self, operator: str, inputs: list[str], count: int, **attributes) -> list[str]:
        """A node with several outputs."""
        names = [f"v{len(self.nodes)}_{i}" for i in range(count)]
        node = helper.make_node(operator, inputs, names, f"{operator}{len(self.nodes)}", **attributes)
        self.nodes.append(node)
        return names

    def node(self, operator: str, *inputs: str, **attributes) -> str:
        """A node with one output."""
        return self.parts(operator, list(inputs), 1, **attributes)[0]

    def node_along(self, operator: str, x: str, axes: list[int], since: int, **attributes) -> str:
        """A node whose axes are an attribute, from opset `since` on an input."""
        if self.opset >= since:
            return self.node(operator, x, self.integers(*axes), **attributes)
        return self.node(operator, x, axes=axes, **attributes)

    def output(self, name: str, kind: int = TensorProto.FLOAT) -> None:
        """Marks a value as an output of the graph."""
        self.outputs.append(helper.make_tensor_value_info(name, kind, None))

    def declare_ranks(self, outputs: Arrays) -> None:
        """Gives the outputs as many dimensions, of any size, as the values that were computed have."""
        for i, info in enumerate(self.outputs):
            rank, kind = outputs[info.name].ndim, info.type.tensor_type.elem_type
            sizes = [f"{info.name}_{axis}" for axis in range(rank)]
            self.outputs[i] = helper.make_tensor_value_info(info.name, kind, sizes)

    def model(self) -> onnx.ModelProto:
        """The finished model."""
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        opsets = [helper.make_opsetid("", self.opset)]
        version = 10 if self.opset >= 21 else 8
        return helper.make_model(graph, opset_imports=opsets, ir_version=version)


CASES: dict[str, tuple[str, int, Callable[[Graph], None]]] = {}
"""By name: the operator it is about, the first opset that has it, and what adds the model to a Graph."""


def case(name: str, operator: str, build: Callable[[Graph], None], first_opset: int = 11) -> None:
    """Adds a case; names are unique."""
    assert name not in CASES, name
    CASES[name] = (operator, first_opset, build)
