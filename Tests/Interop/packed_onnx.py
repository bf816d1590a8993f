"""Runs the packed weights of a compressed ONNX file in ONNX Runtime and compares with the restored file.

    python packed_onnx.py COMPRESSED.onnx RESTORED.onnx

The nodes that rebuild each weight are run as they are and fully optimised. With an int8 basis every
number must be equal; with a float basis, whose sums ONNX Runtime may take in another order, within
rank * 2^-23 of the largest weight (and one rounding of float16 and bfloat16). At optimisation
level "basic" both files must become graphs of the same operators: all of the rebuilding is folded
away. Exit status 0 or 1.
"""
from __future__ import annotations

import collections
import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

LEVELS = {
    "as it is": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "optimised": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
STEP = {"F32": 0.0, "F16": 2.0 ** -10, "BF16": 2.0 ** -7}


def descriptions(model: onnx.ModelProto) -> dict[str, dict[str, str]]:
    """The words of each packed weight's description, by name."""
    prefix = "smartdeal.weight."
    return {
        entry.key.removeprefix(prefix): dict(word.split("=", 1) for word in entry.value.split())
        for entry in model.metadata_props if entry.key.startswith(prefix)
    }


def rebuilt(model: onnx.ModelProto, names: list[str], level: ort.GraphOptimizationLevel) -> dict[str, np.ndarray]:
    """The packed weights as ONNX Runtime computes them, as float32."""
    wanted, nodes = set(names), []
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            nodes.insert(0, node)
            wanted.update(node.input)
    casts = [helper.make_node("Cast", [name], [f"out{i}"], to=TensorProto.FLOAT) for i, name in enumerate(names)]
    graph = helper.make_graph(
        nodes + casts, "weights", [],
        [helper.make_tensor_value_info(f"out{i}", TensorProto.FLOAT, None) for i in range(len(names))],
        [tensor for tensor in model.graph.initializer if tensor.name in wanted])
    part = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    session = ort.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(None, {})))


def folded(path: str) -> collections.Counter:
    """The operators of a file that ONNX Runtime is left with at level "basic"."""
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = os.path.join(folder, "folded.onnx")
        options.log_severity_level = 3
        ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return collections.Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)


def main() -> int:
    compressed, restored = sys.argv[1:3]
    onnx.checker.check_model(compressed, full_check=True)
    onnx.checker.check_model(restored, full_check=True)
    model, dense = onnx.load(compressed), onnx.load(restored)
    words = descriptions(model)
    assert words, f"{compressed} has no packed weights"
    expected = {t.name: numpy_helper.to_array(t) for t in dense.graph.initializer if t.name in words}
    assert expected.keys() == words.keys(), sorted(words.keys() - expected.keys())
    types = {t.name: t.data_type for t in model.graph.initializer}
    prefix = next(e.value for e in model.metadata_props if e.key == "smartdeal.prefix")
    failures = 0
    for title, level in LEVELS.items():
        worst = 0.0
        for name, values in rebuilt(model, sorted(words), level).items():
            weight = expected[name].astype(np.float32)
            line = words[name]
            limit = 0.0
            if types[f"{prefix}/{line['id']}/basis"] == TensorProto.FLOAT:
                rank = 2 * int(line["nibbles"])
                limit = (STEP[line["dtype"]] + rank * 2.0 ** -23) * float(np.abs(weight).max(initial=0))
            difference = float(np.abs(values - weight).max(initial=0)) if values.shape == weight.shape else np.inf
            worst = max(worst, difference)
            if not difference <= limit:
                print(f"FAIL {name} {title}: differs by {difference}, limit {limit}", file=sys.stderr)
                failures += 1
        print(f"{os.path.basename(compressed)}: {len(words)} weights {title}, largest difference {worst}")
    before, after = folded(restored), folded(compressed)
    if before != after:
        print(f"FAIL folded graphs differ: {before} dense, {after} packed", file=sys.stderr)
        failures += 1
    print(f"folded: {dict(after)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
