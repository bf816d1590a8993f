"""Checks that ONNX Runtime computes from exported bytes what `smartdeal run --precision int8` computes.

    python bytes_in_onnxruntime.py SMARTDEAL MODEL DATASET

For built-in networks with random weights: results nearer to each other than rounding moves them, because a
tie that is rounded otherwise moves all that comes after it. For MODEL, compressed and calibrated on DATASET (a folder of IDX
files): the accuracy of both on its images. Exit status 0 or 1.
"""
from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

NETWORKS = ["lenet5", "mlp", "resnet20", "mobilenetv2@3x64x64/10", "vgg11@3x32x32/10"]
LIMIT = 0.7  # of what rounding changes


def with_ranges(path: Path, rounded: onnx.GraphProto) -> None:
    """Gives the model at `path` the ranges by which another file of the same network rounds."""
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in rounded.initializer}
    values = {}
    for node in rounded.node:
        if node.op_type == "QuantizeLinear":
            scale, zero = (constants[name] for name in node.input[1:])
            name = node.name.removesuffix("/round").removesuffix("/rounded")
            values[name] = [float(-scale * zero), float(scale * (255.0 - zero))]
    model = onnx.load(path)
    model.metadata_props.add(
        key="smartdeal.activation_ranges", value=json.dumps({"version": 1, "values": values}))
    onnx.save(model, path)


def main(smartdeal: str, model: str, dataset: str) -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)

        def tool(*arguments: str) -> str:
            run = subprocess.run([smartdeal, *arguments, "--quiet"], capture_output=True, text=True)
            if run.returncode:
                sys.exit(run.stderr)
            return run.stdout

        def onnxruntime_result(path: Path, inputs: np.ndarray) -> np.ndarray:
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            return session.run(None, {session.get_inputs()[0].name: inputs})[0]

        for name in NETWORKS:
            tool("export", name, "-o", str(work / "bytes.onnx"), "--precision", "int8")
            tool("export", name, "-o", str(work / "reals.onnx"))
            onnx.checker.check_model(str(work / "bytes.onnx"), full_check=True)
            kinds = {node.op_type for node in onnx.load(work / "bytes.onnx").graph.node}
            shape = [1 if not isinstance(size, int) else size for size in onnxruntime.InferenceSession(
                str(work / "bytes.onnx")).get_inputs()[0].shape]
            inputs = np.random.default_rng(5).uniform(-1, 1, shape).astype(np.float32)
            np.save(work / "x.npy", inputs)
            with_ranges(work / "reals.onnx", onnx.load(work / "bytes.onnx").graph)
            tool("run", str(work / "reals.onnx"), "--input", str(work / "x.npy"), "--output",
                 str(work / "y.npy"), "--precision", "int8")
            ours, theirs = np.load(work / "y.npy"), onnxruntime_result(work / "bytes.onnx", inputs)
            reals = onnxruntime_result(work / "reals.onnx", inputs)
            error = np.abs(ours - theirs).max() / np.abs(theirs).max()
            rounding = np.abs(reals - theirs).max() / np.abs(theirs).max()
            good = error <= LIMIT * rounding and {"QuantizeLinear", "DequantizeLinear"} <= kinds
            failed += not good
            print(f"{name:26} differs by {error:.1e} of the largest; rounding by {rounding:.1e}"
                  f"{'' if good else '  FAILED'}")

        tool("compress", model, "-o", str(work / "small.onnx"), "--calibrate", dataset)
        tool("export", str(work / "small.onnx"), "-o", str(work / "bytes.onnx"), "--precision", "int8")
        ours = json.loads(tool("evaluate", str(work / "small.onnx"), "--dataset", dataset,
                               "--precision", "int8", "--json"))["accuracy"]
        metadata = {entry.key: entry.value for entry in onnx.load(work / "small.onnx").metadata_props}
        scaling = json.loads(metadata["smartdeal.preprocessing"])
        images = gzip.open(Path(dataset) / "t10k-images-idx3-ubyte.gz").read()[16:]
        pixels = np.frombuffer(images, np.uint8).reshape(-1, 1, 28, 28).astype(np.float32) / 255
        labels = np.frombuffer(
            gzip.open(Path(dataset) / "t10k-labels-idx1-ubyte.gz").read()[8:], np.uint8)
        inputs = ((pixels - scaling["mean"][0]) / scaling["standardDeviation"][0]).astype(np.float32)
        scores = np.concatenate([onnxruntime_result(work / "bytes.onnx", part)
                                 for part in np.array_split(inputs, 10)])
        theirs = float((scores.argmax(1) == labels).mean())
        good = abs(ours - theirs) <= 0.0025
        failed += not good
        print(f"accuracy on bytes {ours:.4f}, of ONNX Runtime {theirs:.4f}{'' if good else '  FAILED'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
