"""Runs one ONNX file in ONNX Runtime and in smartdeal, and says how near their numbers are."""
from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

LIMIT = 1e-4  # of F32; integers and booleans must be equal
Arrays = dict[str, np.ndarray]


@dataclass
class Case:
    """A model file with inputs and the outputs that are expected of it."""

    name: str
    operator: str
    path: Path
    inputs: Arrays
    outputs: Arrays


def session(path: Path, optimised: Path | None = None) -> onnxruntime.InferenceSession:
    """ONNX Runtime on one thread; the graph that it made of the file goes to `optimised`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if optimised:
        options.optimized_model_filepath = str(optimised)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def onnxruntime_outputs(path: Path, inputs: Arrays) -> Arrays:
    """All outputs by name, in the file's order."""
    model = session(path)
    names = [output.name for output in model.get_outputs()]
    return dict(zip(names, model.run(names, inputs)))


def output_paths(first: Path, names: list[str]) -> dict[str, Path]:
    """Where smartdeal writes: the first output to Y.npy, another to Y.NAME.npy."""
    return {name: first if i == 0 else first.with_name(f"{first.stem}.{name}.npy")
            for i, name in enumerate(names)}


def smartdeal_outputs(smartdeal: str, path: Path, inputs: Arrays, names: list[str]) -> Arrays:
    """The outputs `names` (all, in the file's order) of `smartdeal run`; RuntimeError with its words."""
    with tempfile.TemporaryDirectory() as folder:
        command = [smartdeal, "run", str(path), "--quiet", "--output", f"{folder}/Y.npy"]
        for i, (name, value) in enumerate(inputs.items()):
            file = f"{folder}/X{i}.npy"
            np.save(file, value)
            command += ["--input", file if len(inputs) == 1 else f"{name}={file}"]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError((run.stderr or run.stdout).strip() or f"exit {run.returncode}")
        files = output_paths(Path(folder, "Y.npy"), names)
        missing = [name for name, file in files.items() if not file.exists()]
        if missing:
            raise RuntimeError(f"no file for the outputs {', '.join(missing)}")
        return {name: np.load(file) for name, file in files.items()}


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """max|a - b| / max|b|; infinite when shapes, integers or the places of NaN differ."""
    if found.shape != expected.shape:
        return np.inf
    if not np.issubdtype(expected.dtype, np.floating):
        return 0.0 if np.array_equal(found, expected) else np.inf
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    if same.all():
        return 0.0
    error = np.abs(found - expected)[~same].max() / max(np.abs(expected).max(), 1e-30)
    return float(error) if np.isfinite(error) else np.inf


def largest_error(found: Arrays, expected: Arrays) -> float:
    """The worst of all outputs; infinite when one is missing."""
    return max((relative_error(found[name], value) if name in found else np.inf
                for name, value in expected.items()), default=np.inf)


def failure(case: Case, smartdeal: str) -> tuple[float, str]:
    """The error of one case, and why it fails: "" when it does not."""
    try:
        found = smartdeal_outputs(smartdeal, case.path, case.inputs, list(case.outputs))
    except RuntimeError as problem:
        return np.inf, str(problem).splitlines()[-1]
    error = largest_error(found, case.outputs)
    shapes = {name: value.shape for name, value in found.items()}
    wanted = {name: value.shape for name, value in case.outputs.items()}
    if shapes != wanted:
        return error, f"shapes {shapes}, expected {wanted}"
    return error, "" if error <= LIMIT else f"error {error:.3g} is above {LIMIT:g}"


def check(cases: list[Case], smartdeal: str) -> int:
    """Prints a line for each case and the list of failures; exit status."""
    failures, width = [], max((len(case.name) for case in cases), default=0)
    for case in cases:
        error, why = failure(case, smartdeal)
        print(f"{case.name:{width}}  {case.operator:20}  {error:8.1e}{'  FAILED' if why else ''}")
        if why:
            failures.append(f"{case.name}: {why}")
    print(f"{len(cases) - len(failures)} of {len(cases)} agree with ONNX Runtime within {LIMIT:g}")
    for line in failures:
        print(f"  {line}")
    return 1 if failures or not cases else 0
