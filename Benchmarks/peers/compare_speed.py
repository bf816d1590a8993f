"""Reference mode against the plain NumPy version of the same iteration, one thread each, interleaved.

    python compare_speed.py SMARTDEAL [WEIGHTS.safetensors] [--runs N]

Without a file: seeded Gaussian weights of deviation 0.05, a 4096 x 1536 matrix. SmartDeal's time is that of the whole command:
start, read, fit, pack, check the error, write; the NumPy version's is the fit alone. Prints weights per second and the ratio.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402  (after the thread limits)


def write_gaussian(path: Path) -> None:
    weights = (0.05 * np.random.default_rng(1).standard_normal((4096, 1536))).astype("<f4")
    header = json.dumps({"gaussian.weight": {"dtype": "F32", "shape": [4096, 1536], "data_offsets": [0, weights.nbytes]}}).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + weights.tobytes())


def numpy_seconds(model: Path) -> tuple[float, int, float]:
    """Seconds, weights and error over all of the NumPy version."""
    script = Path(__file__).with_name("numpy_reference.py")
    text = subprocess.run([sys.executable, str(script), str(model), "--json"], check=True, capture_output=True, text=True).stdout
    rows = json.loads(text)
    rows = rows["tensors"] if isinstance(rows, dict) else rows
    weights = [round(row["weights_per_second"] * row["seconds"]) for row in rows]
    error = sum(n * row["relative_error"] ** 2 for n, row in zip(weights, rows)) / sum(weights)
    return sum(row["seconds"] for row in rows), sum(weights), error ** 0.5


def smartdeal_seconds(tool: str, model: Path, out: Path, mode: str) -> tuple[float, float]:
    text = subprocess.run([tool, "compress", str(model), "-o", str(out), "--mode", mode, "--threads", "1", "--json", "--quiet"],
                          check=True, capture_output=True, text=True).stdout
    report = json.loads(text)
    return report["seconds"], report["relative_error"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("smartdeal")
    parser.add_argument("weights", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    theirs: list[float] = []
    ours: dict[str, list[float]] = {"reference": [], "fast": []}
    errors: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.weights or Path(folder) / "gaussian.safetensors"
        if arguments.weights is None:
            write_gaussian(model)
        for _ in range(arguments.runs):
            seconds, weights, errors["NumPy"] = numpy_seconds(model)
            theirs.append(seconds)
            for mode, times in ours.items():
                seconds, errors[mode] = smartdeal_seconds(arguments.smartdeal, model, Path(folder) / "out", mode)
                times.append(seconds)
    base = statistics.median(theirs)
    print(f"NumPy      {weights / base / 1e6:8.2f} M weights/s                     error {errors['NumPy']:.4f}")
    for mode, times in ours.items():
        seconds = statistics.median(times)
        print(f"{mode:10} {weights / seconds / 1e6:8.2f} M weights/s, {base / seconds:6.1f}x NumPy  error {errors[mode]:.4f}")


if __name__ == "__main__":
    main()
