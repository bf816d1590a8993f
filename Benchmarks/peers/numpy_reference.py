"""The SmartDeal authors' iteration in plain NumPy, one slice at a time.

It is the independent source of golden numbers and the speed to compare with; nothing is tuned.
A slice A [rows, S] becomes Ce [rows, S], zeros and +-2^p, times a basis B [S, S]
(arXiv 2101.01163).
Float32 throughout, as the authors run it: their rcond of 1e-10 is below Float32's rounding, so a
rank-deficient least squares keeps rounding noise as a direction, and their figures contain that.
"""

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass

import numpy as np

# Slices x rows that the authors chose by hand for these input lengths (linear and 1x1, S = 3).
LISTED_SLICES = {
    4096: (8, 171), 2048: (4, 171), 1280: (3, 143), 1024: (2, 171), 960: (2, 160), 576: (1, 192),
    512: (1, 171), 384: (1, 128), 320: (1, 107), 256: (1, 86), 192: (1, 64), 160: (1, 54),
    144: (1, 48), 128: (1, 43), 96: (1, 32), 64: (1, 22), 32: (1, 11), 24: (1, 8), 16: (1, 6),
}  # fmt: skip
ROWS_PER_COLUMN = 64
PRUNE_GROUP = 32


def read_safetensors(path: str) -> dict[str, np.ndarray]:
    """Reads the F64, F32, F16 and BF16 tensors of a file; BF16 becomes F32, others are left out."""
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in types:
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[begin:end], types[entry["dtype"]])
        if entry["dtype"] == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def rows_per_slice(rows: int, columns: int) -> int:
    """The authors' divisor-built row count: smallest prime factors are dropped until it fits."""
    limit = ROWS_PER_COLUMN * columns
    factors, rest, divisor = [], rows, 2
    while rest > 1:
        while rest % divisor == 0:
            factors.append(divisor)
            rest //= divisor
        divisor += 1
    while rows > limit and len(factors) > 1:
        rows //= factors.pop(0)
    return rows  # a prime above the limit stays whole


@dataclass(frozen=True)
class Slicing:
    """How each filter of `shape` was cut; `transposed` when there were fewer rows than columns."""

    shape: tuple[int, ...]
    transposed: bool

    def rebuild(self, slices: np.ndarray) -> np.ndarray:
        """Puts slices back into the layer's own layout; the padding is dropped."""
        if self.transposed:
            slices = slices.swapaxes(1, 2)
        per_filter = math.prod(self.shape[1:])
        return slices.reshape(self.shape[0], -1)[:, :per_filter].reshape(self.shape)


def slice_matrix(W: np.ndarray) -> tuple[np.ndarray, Slicing]:
    """Cuts a linear [out, in] or convolution [out, in/groups, ..., kernel] weight.

    Returns slices [slices, rows, S]: S is the kernel's width, or 3 for a width of 1.
    """
    filters = W.reshape(W.shape[0], -1)
    length = filters.shape[1]
    width = W.shape[-1] if W.ndim > 2 else 1
    columns = width if width > 1 else 3
    if width == 1 and length in LISTED_SLICES:
        count, rows = LISTED_SLICES[length]
    else:
        total = -(-length // columns)
        rows = rows_per_slice(total, columns)
        count = total // rows
    padded = np.pad(filters, ((0, 0), (0, count * rows * columns - length)))
    slices = padded.reshape(-1, rows, columns)
    transposed = rows < columns
    return slices.swapaxes(1, 2) if transposed else slices, Slicing(W.shape, transposed)


def structural_prune(
    W: np.ndarray,
    population: float | None = None,
    value: float | None = None,
    energy: float | None = None,
) -> np.ndarray:
    """Zeroes (input channel, kernel row) positions, one mask for 32 filters of [O, C, kh, kw].

    By sum of |W|: the smallest share of the positions (population), those below a value,
    or all but the largest that hold a share of the total (energy).
    """
    if W.ndim != 4 or (population is None and value is None and energy is None):
        return W
    pruned = W.copy()
    for first in range(0, W.shape[0], PRUNE_GROUP):
        group = pruned[first : first + PRUNE_GROUP]
        sums = np.abs(group).sum(axis=(0, 3)).ravel()
        order = np.argsort(sums, kind="stable")
        if population is not None:
            removed = order[: math.ceil(population * sums.size)]
        elif value is not None:
            removed = np.flatnonzero(sums < value)
        else:
            held = np.cumsum(sums[order[::-1]])
            kept = int(np.searchsorted(held, energy * held[-1])) + 1
            removed = order[: max(sums.size - kept, 0)]
        keep = np.ones(sums.size, bool)
        keep[removed] = False
        group *= keep.reshape(1, *W.shape[1:3], 1)
    return pruned


def to_powers_of_two(c: np.ndarray, max_c: float) -> np.ndarray:
    """The nearest power of two by distance, zero kept; 1.5 * 2^p goes to 2^p; at most `max_c`."""
    mantissa, exponent = np.frexp(np.abs(c))  # |c| = mantissa * 2^exponent, mantissa in [0.5, 1)
    magnitude = np.ldexp(c.dtype.type(1), exponent - (mantissa <= 0.75))
    return np.sign(c) * np.minimum(magnitude, max_c)


def column_scales(Ce: np.ndarray) -> np.ndarray:
    """The factor per column by which rounding to powers of two loses least; 1 for an empty one."""
    used = Ce != 0
    logs = np.log2(np.abs(Ce), where=used, out=np.zeros_like(Ce))
    return np.exp2((np.round(logs) - logs).sum(axis=0) / np.maximum(used.sum(axis=0), 1))


def solve(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The minimum-norm X with least || left X - right ||."""
    return np.linalg.lstsq(left, right, rcond=1e-10)[0]


def fit_slice(
    A: np.ndarray,
    theta: float,
    iterations: int = 30,
    tol: float = 1e-10,
    decay: float = 0.5,
    max_c: float = 32,
    column_scaling: bool = False,
    row_sparsity: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns Ce and B, A ~ Ce B. Column scaling lowers a theta that empties a column of Ce."""
    Ce, B = A, np.eye(A.shape[1], dtype=A.dtype)
    if not A.any():
        return Ce, B
    previous = None
    for _ in range(iterations - 1):
        if column_scaling:
            Ce = Ce * column_scales(Ce)
        Ce = to_powers_of_two(Ce, max_c)
        if previous is not None and np.linalg.norm(Ce - previous) < tol:
            break
        previous = Ce
        B = solve(Ce, A)
        Ce = solve(B.T, A.T).T
        # A column that the solution itself leaves empty is empty for every theta: not started over.
        filled = Ce.any(axis=0)
        if row_sparsity:
            Ce = np.where(np.abs(Ce).sum(axis=1, keepdims=True) < 5 * theta, 0, Ce)
        Ce = np.where(np.abs(Ce) < theta, 0, Ce)
        if column_scaling and (filled & ~Ce.any(axis=0)).any():
            return fit_slice(
                A, theta * decay, iterations, tol, decay, max_c, column_scaling, row_sparsity
            )
    if column_scaling:
        Ce = Ce * column_scales(Ce)
    Ce = to_powers_of_two(Ce, max_c)
    return Ce, solve(Ce, A)


@dataclass
class Statistics:
    """What one tensor became; `authors_bits` is their accounting, not bytes of a file."""

    relative_error: float
    slices: int
    coefficients: int
    nonzero_coefficients: int
    rows: int
    nonzero_rows: int
    exponents: list[int]
    coefficient_bits: int
    authors_bits: int
    seconds: float
    weights_per_second: float


def decompose(
    W: np.ndarray,
    theta: float = 4e-3,
    column_scaling: bool = False,
    row_sparsity: bool = False,
    population: float | None = None,
    value: float | None = None,
    energy: float | None = None,
    iterations: int = 30,
) -> tuple[np.ndarray, Statistics]:
    """Prunes, cuts, fits and rebuilds one weight, in Float32; the error is against W as given."""
    W = W.astype(np.float32)
    start = time.perf_counter()
    slices, slicing = slice_matrix(structural_prune(W, population, value, energy))
    row_sparsity = row_sparsity and W.shape[2:] == (3, 3)
    fits = [
        fit_slice(A, theta, iterations, column_scaling=column_scaling, row_sparsity=row_sparsity)
        for A in slices
    ]
    rebuilt = slicing.rebuild(np.stack([Ce @ B for Ce, B in fits]))
    seconds = time.perf_counter() - start

    Ce = np.stack([Ce for Ce, _ in fits])
    nonzero = int(np.count_nonzero(Ce))
    exponents = np.unique(np.log2(np.abs(Ce[Ce != 0]))).astype(int).tolist()
    bits = 1 + math.ceil(math.log2(max(len(exponents), 1)))
    norm = float(np.linalg.norm(W.astype(np.float64)))
    error = float(np.linalg.norm(W.astype(np.float64) - rebuilt))
    return rebuilt, Statistics(
        relative_error=error / norm if norm > 0 else 0.0,
        slices=len(fits),
        coefficients=Ce.size,
        nonzero_coefficients=nonzero,
        rows=Ce.shape[0] * Ce.shape[1],
        nonzero_rows=int(np.count_nonzero(Ce.any(axis=2))),
        exponents=exponents,
        coefficient_bits=bits,
        authors_bits=bits * nonzero + Ce.size + 32 * sum(B.size for _, B in fits),
        seconds=seconds,
        weights_per_second=W.size / seconds,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", help="a safetensors file")
    parser.add_argument("--theta", type=float, default=4e-3)
    parser.add_argument("--column-scaling", action="store_true")
    parser.add_argument("--row-sparsity", action="store_true", help="3x3 convolutions only")
    parser.add_argument("--prune", type=float, metavar="FRACTION", help="4-D tensors only")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    report = []
    for name, W in read_safetensors(options.weights).items():
        if W.ndim < 2 or W.size == 0:
            continue
        _, statistics = decompose(
            W, options.theta, options.column_scaling, options.row_sparsity, options.prune
        )
        report.append((name, statistics))
    if options.json:
        print(json.dumps([{"name": name, **asdict(s)} for name, s in report], indent=1))
        return
    print(f"{'tensor':36} {'error':>9} {'slices':>7} {'coeffs':>9} {'nonzero':>9} {'rows':>8}"
          f" {'nz rows':>8} {'exps':>4} {'seconds':>8} {'weights/s':>9}")  # fmt: skip
    for name, s in report:
        print(f"{name:36} {s.relative_error:9.6f} {s.slices:7} {s.coefficients:9}"
              f" {s.nonzero_coefficients:9} {s.rows:8} {s.nonzero_rows:8} {len(s.exponents):4}"
              f" {s.seconds:8.3f} {s.weights_per_second:9.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
