"""An ONNX file as a torch module that learns: the operators of the built-in networks, with autograd.

Weights, biases, scales and shifts become parameters and running statistics buffers, by the names that the file
gives them. In training mode batch norms use the statistics of the batch, as torch's own do.
"""
from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

BATCH_NORM_MOMENTUM = 0.1


def initializers(path: Path) -> dict[str, Tensor]:
    """The file's tensors by name."""
    graph = onnx.load(path).graph
    return {item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in graph.initializer}


def padding(node: onnx.NodeProto, attributes: dict, size: torch.Size) -> list[int]:
    """[left, right, top, bottom] of a window over the last two dimensions."""
    kernel = attributes["kernel_shape"]
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    mode = attributes.get("auto_pad", b"NOTSET")
    if mode in (b"NOTSET", b"VALID"):
        top, left, bottom, right = attributes.get("pads", [0] * 4) if mode == b"NOTSET" else [0] * 4
        return [left, right, top, bottom]
    if mode != b"SAME_UPPER":
        raise ValueError(f"node {node.name}: auto_pad {mode.decode()}")
    result = []
    for axis in (1, 0):
        length, stride = size[2 + axis], strides[axis]
        total = (-(-length // stride) - 1) * stride + dilations[axis] * (kernel[axis] - 1) + 1 - length
        result += [max(total, 0) // 2, max(total, 0) - max(total, 0) // 2]
    return result


class ONNXModule(nn.Module):
    """One input, one output."""

    def __init__(self, path: Path):
        super().__init__()
        graph = onnx.load(path).graph
        self.nodes = list(graph.node)
        self.input, self.output = graph.input[0].name, graph.output[0].name
        self.attributes = [{a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
                           for node in self.nodes]
        self.values = {name: nn.Parameter(value, False) for name, value in initializers(path).items()}
        for node in self.nodes:
            learned = {"Conv": 3, "Gemm": 3, "BatchNormalization": 3}.get(node.op_type, 0)
            for name in node.input[1:learned]:
                self.values[name].requires_grad_()
        # Dots are not allowed in names of torch's parameters.
        for name, value in self.values.items():
            self.register_parameter(name.replace(".", "/"), value)

    def learned(self) -> dict[str, nn.Parameter]:
        """The parameters that a gradient moves, by the file's names."""
        return {name: value for name, value in self.values.items() if value.requires_grad}

    def statistics(self) -> dict[str, Tensor]:
        """Running means and variances by the file's names."""
        return {name: self.values[name] for node in self.nodes if node.op_type == "BatchNormalization"
                for name in node.input[3:5]}

    def forward(self, x: Tensor) -> Tensor:
        values = dict(self.values) | {self.input: x}
        for node, attributes in zip(self.nodes, self.attributes):
            operands = [values[name] if name else None for name in node.input]
            values[node.output[0]] = self.apply_node(node, attributes, operands)
        return values[self.output]

    def apply_node(self, node: onnx.NodeProto, attributes: dict, operands: list) -> Tensor:
        x, *others = operands
        match node.op_type:
            case "Conv":
                x = functional.pad(x, padding(node, attributes, x.shape))
                bias = others[1] if len(others) > 1 else None
                return functional.conv2d(x, others[0], bias, attributes.get("strides", 1), 0,
                                         attributes.get("dilations", 1), attributes.get("group", 1))
            case "BatchNormalization":
                scale, shift, mean, variance = others
                return functional.batch_norm(x, mean, variance, scale, shift, self.training,
                                             BATCH_NORM_MOMENTUM, attributes.get("epsilon", 1e-5))
            case "Gemm":
                x = x.T if attributes.get("transA") else x
                product = x @ (others[0].T if attributes.get("transB") else others[0])
                product = attributes.get("alpha", 1.0) * product
                return product + attributes.get("beta", 1.0) * others[1] if len(others) > 1 else product
            case "MaxPool":
                x = functional.pad(x, padding(node, attributes, x.shape), value=float("-inf"))
                return functional.max_pool2d(x, attributes["kernel_shape"], attributes.get("strides", 1), 0,
                                             attributes.get("dilations", 1), bool(attributes.get("ceil_mode")))
            case "Clip":
                low, high = (others + [None, None])[:2]
                return torch.clamp(x, low, high)
            case "Relu":
                return torch.relu(x)
            case "Add":
                return x + others[0]
            case "GlobalAveragePool":
                return x.mean((2, 3), keepdim=True)
            case "Flatten":
                return x.flatten(attributes.get("axis", 1))
        raise ValueError(f"node {node.name}: operator {node.op_type}")
