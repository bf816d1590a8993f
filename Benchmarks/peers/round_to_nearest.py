"""Error of plain round-to-nearest integers with one F16 scale for 32 weights: what to beat.

Blocks run along each filter (the first axis), flattened; a filter's last block may be shorter.
"""

import argparse
import json
import math

import numpy as np
from numpy_reference import read_safetensors

BLOCK = 32
SCALE_BITS = 16
GAUSSIAN_SEED = 0


def round_blocks(blocks: np.ndarray, bits: int, asymmetric: bool) -> np.ndarray:
    """Rounds blocks [n, 32] to scale * level with the stored (F16) scale.

    Symmetric: scale = absmax / (2^(bits-1) - 1), levels +-(2^(bits-1) - 1). Asymmetric, ggml's
    q4_0: scale = signed extreme / -2^(bits-1), levels -2^(bits-1) ... 2^(bits-1) - 1.
    """
    half = 2 ** (bits - 1)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)
    scale = extreme / -half if asymmetric else np.abs(extreme) / (half - 1)
    scale = scale.astype(np.float16).astype(np.float64)
    levels = np.rint(np.divide(blocks, scale, where=scale != 0, out=np.zeros_like(blocks)))
    return scale * np.clip(levels, -half if asymmetric else 1 - half, half - 1)


def squared_error(W: np.ndarray, bits: int) -> tuple[float, int]:
    """The sum of squared errors over W, of the better kind below int8, and the number of blocks."""
    filters = W.astype(np.float64).reshape(W.shape[0], -1)
    blocks = np.pad(filters, ((0, 0), (0, -filters.shape[1] % BLOCK))).reshape(-1, BLOCK)
    kinds = (False,) if bits == 8 else (False, True)
    errors = [float(((round_blocks(blocks, bits, kind) - blocks) ** 2).sum()) for kind in kinds]
    return min(errors), len(blocks)


def measure(tensors: dict[str, np.ndarray], bits: int) -> list[dict[str, object]]:
    """One row a tensor, then the row `all` over all weights together."""
    counts = []
    for name, W in tensors.items():
        error, blocks = squared_error(W, bits)
        counts.append((name, error, float((W.astype(np.float64) ** 2).sum()), blocks, W.size))
    total = [sum(column) for column in list(zip(*counts, strict=True))[1:]]
    return [
        {
            "name": name,
            "bits": bits,
            "bits_per_weight": bits + SCALE_BITS * blocks / size,
            "relative_error": math.sqrt(error / energy) if energy > 0 else 0.0,
        }
        for name, error, energy, blocks, size in [*counts, ("all", *total)]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="?", help="a safetensors file")
    parser.add_argument("--gaussian", type=int, metavar="N", help="N seeded Gaussian weights too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    tensors = {}
    if options.weights is not None:
        read = read_safetensors(options.weights)
        tensors = {name: W for name, W in read.items() if W.ndim >= 2 and W.size > 0}
    if options.gaussian:
        normal = np.random.default_rng(GAUSSIAN_SEED).standard_normal((1, options.gaussian))
        tensors["gaussian"] = normal
    if not tensors:
        parser.error("nothing to measure: no tensor of two or more dimensions, no --gaussian")

    report = [row for bits in (2, 3, 4, 8) for row in measure(tensors, bits)]
    if options.json:
        print(json.dumps(report, indent=1))
        return
    print(f"{'tensor':36} {'bits':>4} {'bits a weight':>13} {'error':>9}")
    for row in report:
        print(f"{row['name']:36} {row['bits']:4} {row['bits_per_weight']:13.3f}"
              f" {row['relative_error']:9.6f}")  # fmt: skip


if __name__ == "__main__":
    main()
