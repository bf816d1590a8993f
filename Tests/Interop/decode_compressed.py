"""Reads a compressed safetensors file from its description alone and compares with the restored one.

    python decode_compressed.py COMPRESSED RESTORED

An independent statement of the format: NumPy and the safetensors package, nothing of SmartDeal. Every
weight must come out within one rounding of the restored element type. Exit status 0 or 1.
"""
from __future__ import annotations

import sys

import numpy as np
from safetensors import safe_open


def bits(packed: np.ndarray, count: int) -> np.ndarray:
    """The first `count` bits of bytes, the lowest bit of each byte first."""
    return np.unpackbits(packed, bitorder="little")[:count].astype(bool)


def symbols(packed: np.ndarray, rows: int, n: int) -> tuple[np.ndarray, int]:
    """Symbols [rows, n] of one slice, and the bytes they took."""
    result, at = np.zeros((rows, n), np.int64), 0
    for first in range(0, rows, 128):
        chunk = min(128, rows - first)
        half = (chunk + 1) // 2
        for j in range(n):
            plane = packed[at:at + half]
            result[first:first + half, j] = plane & 15
            result[first + half:first + chunk, j] = plane[:chunk - half] >> 4
            at += half
    return result, at


def decode(name: str, line: str, alphabet_text: str, tensors: dict[str, np.ndarray]) -> np.ndarray:
    """The dense weight of one description."""
    words = dict(word.split("=") for word in line.split())
    shape = [int(x) for x in words["shape"].split(",")]
    unit, S, n = int(words["unit"]), int(words["width"]), int(words["nibbles"])
    per_slice, share, layout = int(words["slice"]), int(words["share"]), words["layout"]
    alphabet = np.array([[float(x) for x in word.split(",")] for word in alphabet_text.split()])
    alphabet = np.vstack([alphabet, np.zeros((16 - len(alphabet), alphabet.shape[1]))])
    filters, length = shape[0], int(np.prod(shape[1:]))
    slices = -(-(-(-length // S)) // per_slice)
    packed, basis = tensors[name + ".symbols"], tensors[name + ".basis"].astype(np.float64)
    scales = tensors.get(name + ".basis_scale")
    row_masks, group_masks = tensors.get(name + ".mask"), tensors.get(name + ".group_mask")
    weights, at, mask_at = np.zeros((filters, length)), 0, 0
    for f in range(filters):
        kept = np.ones(length // unit, bool) if group_masks is None else bits(group_masks[f // 32], length // unit)
        kept_weights = np.repeat(kept, unit)
        if layout == "kept":
            spanned = -(-int(kept_weights.sum()) // S)
            present = np.arange(spanned)
        else:
            spanned = -(-length // S)
            padded = np.zeros(spanned * S, bool)
            padded[:length] = kept_weights
            present = np.flatnonzero(padded.reshape(spanned, S).any(axis=1))
        stored = np.ones(len(present), bool)
        if row_masks is not None:
            size = (len(present) + 7) // 8
            stored = bits(row_masks[mask_at:mask_at + size], len(present))
            mask_at += size
        rows = np.zeros((spanned, S))
        for s in range(slices):
            mine = present[stored & (present // per_slice == s)]
            codes, size = symbols(packed[at:], len(mine), n)
            at += size
            C = alphabet[codes].reshape(len(mine), n * alphabet.shape[1])
            scale = 1.0 if scales is None else float(scales[f, s]) * 2.0 ** int(words["exponent"])
            rows[mine] = scale * (C @ basis[f // share * slices + s])
        if layout == "kept":
            weights[f, kept_weights] = rows.reshape(-1)[:int(kept_weights.sum())]
        else:
            weights[f] = np.where(kept_weights, rows.reshape(-1)[:length], 0)
    assert at == len(packed), f"{name}: {len(packed) - at} bytes of symbols left over"
    return weights.reshape(shape)


def main() -> int:
    compressed, restored = sys.argv[1:3]
    with safe_open(compressed, "numpy") as file:
        metadata = file.metadata() or {}
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    assert metadata.get("smartdeal.version") == "1", metadata.get("smartdeal.version")
    failures, count = 0, 0
    with safe_open(restored, "numpy") as dense:
        for key, line in metadata.items():
            if not key.startswith("smartdeal.weight."):
                continue
            name = key.removeprefix("smartdeal.weight.")
            words = dict(word.split("=") for word in line.split())
            weight = decode(name, line, metadata["smartdeal.alphabet." + words["alphabet"]], tensors)
            expected = dense.get_tensor(name).astype(np.float64)
            step = {"F32": 2.0 ** -22, "F16": 2.0 ** -10, "BF16": 2.0 ** -7}[words["dtype"]]
            limit = step * np.maximum(np.abs(weight).max(), 1e-30)
            if np.abs(weight - expected).max() > limit:
                print(f"{name}: differs by {np.abs(weight - expected).max()}, limit {limit}")
                failures += 1
            count += 1
    print(f"decoded {count} weights, {failures} differ")
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main())
