"""Checks that files written by smartdeal are valid ONNX and mean the same to ONNX Runtime.

    python our_files_in_onnxruntime.py SMARTDEAL [--quick] [--only NETWORK]... [--files FILE.onnx]...

For every built-in network, exported with random weights, and every FILE: onnx.checker in full mode; the
numbers of ONNX Runtime and of `smartdeal run` within 1e-4, for batches of 1 and 32. Then compressed: the
checker again; ONNX Runtime and smartdeal agree on the compressed file, and on the file restored from it; and
ONNX Runtime folds the nodes that rebuild the weights into constants, so that its graph is that of the
restored file. --quick leaves out the largest networks, and batches of 32 of large ones. Exit status 0 or 1.
"""
from __future__ import annotations

import argparse
import collections
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from agreement import LIMIT, Arrays, largest_error, session, smartdeal_outputs

SMALL = ["lenet5", "mlp", "resnet20"]
MIDDLE = ["resnet18", "resnet34", "resnet50", "resnet164", "mobilenetv2", "efficientnet-lite0",
          "resnet18@3x97x131"]
LARGE = ["vgg11", "vgg19"]
OPSETS = {"resnet20": ["11", "13", "17", "18", "21"]}  # written in each; the others in the default

Histogram = collections.Counter


class Checks:
    """Lines of the table, and what failed."""

    def __init__(self, smartdeal: str):
        self.smartdeal, self.failures, self.count = smartdeal, [], 0

    def record(self, name: str, what: str, why: str, detail: str = "") -> None:
        """One check: `why` is empty when it holds."""
        self.count += 1
        print(f"{name:26}  {what:44}  {detail}{'  FAILED: ' + why if why else ''}", flush=True)
        if why:
            self.failures.append(f"{name}: {what}: {why}")

    def command(self, name: str, *arguments: str) -> bool:
        """Runs smartdeal; a failure is recorded in its own words."""
        run = subprocess.run([self.smartdeal, *arguments, "--quiet"], capture_output=True, text=True)
        if run.returncode:
            lines = (run.stderr or run.stdout).strip().splitlines()
            self.record(name, f"smartdeal {arguments[0]}", lines[-1] if lines else f"exit {run.returncode}")
        return run.returncode == 0

    def checker(self, name: str, what: str, path: Path) -> None:
        """onnx.checker by path, so that files of any size pass through."""
        try:
            onnx.checker.check_model(str(path), full_check=True)
            self.record(name, f"{what}: onnx.checker, full", "", f"{path.stat().st_size / 1e6:8.2f} MB")
        except Exception as problem:  # the checker raises several kinds
            self.record(name, f"{what}: onnx.checker, full", str(problem).strip().splitlines()[0])

    def compare(self, name: str, what: str, found: Arrays, expected: Arrays) -> None:
        error = largest_error(found, expected)
        why = "" if error <= LIMIT else f"above {LIMIT:g}"
        self.record(name, what, why, f"{error:8.1e}")


def inputs_of(model: onnxruntime.InferenceSession, batch: int) -> Arrays:
    """Random inputs: dimensions without a size are the batch when first, else 16."""
    random, inputs = np.random.default_rng(batch), {}
    for value in model.get_inputs():
        sizes = [size if isinstance(size, int) else batch if i == 0 else 16
                 for i, size in enumerate(value.shape)]
        if "float" in value.type:
            inputs[value.name] = random.standard_normal(sizes).astype(np.float32)
        elif "mask" in value.name:
            inputs[value.name] = np.ones(sizes, np.int64)
        else:
            inputs[value.name] = random.integers(0, 2, sizes)
    return inputs


def run(model: onnxruntime.InferenceSession, inputs: Arrays) -> Arrays:
    names = [output.name for output in model.get_outputs()]
    return dict(zip(names, model.run(names, inputs)))


def operators(path: Path) -> Histogram:
    """How often a file has each operator."""
    return Histogram(node.op_type for node in onnx.load(path, load_external_data=False).graph.node)


def listed(histogram: Histogram) -> str:
    return ", ".join(f"{operator} {count}" for operator, count in sorted(histogram.items())) or "none"


def folded(path: Path) -> Histogram:
    """The operators that ONNX Runtime is left with, before it chooses layouts for the machine."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path.with_suffix(".folded.onnx"))
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return operators(Path(options.optimized_model_filepath))


def compare_folding(checks: Checks, name: str, compressed: Path, restored: Path) -> None:
    """After folding, the compressed file has the graph of the restored one."""
    before, after, dense = operators(compressed), folded(compressed), folded(restored)
    rebuilding = before - operators(restored)
    why = "" if rebuilding else "no nodes that rebuild weights: nothing was compressed"
    why = f"left over: {listed(after - dense)}" if after - dense else why
    print(f"    before folding: {listed(before)}\n    after folding:  {listed(after)}")
    checks.record(name, "compressed: nothing left of rebuilding", why, f"{sum(rebuilding.values())} nodes")


def compare_runs(checks: Checks, name: str, what: str, path: Path, batches: list[int]) -> list[Arrays]:
    """ONNX Runtime against smartdeal on one file; smartdeal's outputs for every batch."""
    model, results = session(path), []
    for batch in batches:
        inputs = inputs_of(model, batch)
        try:
            expected = run(model, inputs)
            found = smartdeal_outputs(checks.smartdeal, path, inputs, list(expected))
        except Exception as problem:  # ONNX Runtime's own, or RuntimeError with smartdeal's words
            checks.record(name, f"{what}, batch {batch}", str(problem).strip().splitlines()[-1])
            continue
        checks.compare(name, f"{what}: ONNX Runtime and smartdeal, batch {batch}", found, expected)
        results.append(found)
    return results


def check_file(checks: Checks, name: str, dense: Path, batches: list[int]) -> None:
    """Everything about one dense file."""
    compressed, restored = (dense.with_suffix(f".{kind}.onnx") for kind in ("compressed", "restored"))
    checks.checker(name, "dense", dense)
    compare_runs(checks, name, "dense", dense, batches)
    if not checks.command(name, "compress", str(dense), "-o", str(compressed), "--mode", "fast"):
        return
    checks.checker(name, "compressed", compressed)
    packed = compare_runs(checks, name, "compressed", compressed, batches)
    if not checks.command(name, "restore", str(compressed), "-o", str(restored)):
        return
    checks.checker(name, "restored", restored)
    model = session(restored)
    for batch, found in zip(batches, packed):
        expected = run(model, inputs_of(model, batch))
        checks.compare(name, f"compressed and restored, batch {batch}", found, expected)
    compare_folding(checks, name, compressed, restored)


def check_network(checks: Checks, name: str, folder: Path, batches: list[int]) -> None:
    """One built-in network, its files deleted afterwards."""
    for opset in OPSETS.get(name, [""]):
        dense = folder / f"{name}.onnx"
        shown = f"{name}, opset {opset}" if opset else name
        option = ["--opset", opset] if opset else []
        if checks.command(shown, "export", name, "-o", str(dense), "--seed", "1", *option):
            check_file(checks, shown, dense, batches)
        for file in folder.iterdir():
            file.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("smartdeal")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", metavar="NETWORK")
    parser.add_argument("--files", action="append", type=Path, metavar="FILE.onnx")
    options = parser.parse_args()
    checks = Checks(options.smartdeal)
    networks = [] if options.files else SMALL + MIDDLE + ([] if options.quick else LARGE)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in options.only or networks:
            batches = [1] if options.quick and name not in SMALL else [1, 32]
            check_network(checks, name, folder, batches)
        for file in options.files or []:
            dense = folder / file.name
            dense.symlink_to(file.resolve())
            check_file(checks, file.stem, dense, [1, 32])
    print(f"{checks.count - len(checks.failures)} of {checks.count} hold")
    for line in checks.failures:
        print(f"  {line}")
    return 1 if checks.failures or not checks.count else 0


if __name__ == "__main__":
    sys.exit(main())
