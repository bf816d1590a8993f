"""Checks a restored checkpoint against its original, and that PyTorch loads it.

Names, types and shapes are equal; what was not compressed is equal bit by bit; what was is near.
Exit code 0 when all holds, else 1. Needs numpy and safetensors; torch is used when it is there.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import safetensors

FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
Tensors = dict[str, dict]  # name -> dtype, shape, data (bytes)


def read(path: str) -> Tensors:
    """All tensors as the safetensors package hands them to NumPy, before it looks at the type."""
    return dict(safetensors.deserialize(Path(path).read_bytes()))


def floats(tensor: dict) -> np.ndarray:
    """The values as F64; NumPy has no BF16, which is the upper half of an F32."""
    if tensor["dtype"] == "BF16":
        upper = np.frombuffer(tensor["data"], "<u2").astype("<u4")
        return (upper << 16).view("<f4").astype(np.float64)
    return np.frombuffer(tensor["data"], FLOATS[tensor["dtype"]]).astype(np.float64)


def relative_error(original: dict, restored: dict) -> float:
    """|| original - restored || / || original ||; 0 when both are zero."""
    W, rebuilt = floats(original), floats(restored)
    error = np.linalg.norm(W - rebuilt)
    return 0.0 if error == 0 else float(error / np.linalg.norm(W)) if W.any() else np.inf


def differences(
    original: Tensors, restored: Tensors, compressed: set[str], limit: float
) -> list[str]:
    """What is wrong, one line each."""
    wrong = [f"{name}: missing in the restored file" for name in original.keys() - restored.keys()]
    wrong += [f"{name}: not in the original file" for name in restored.keys() - original.keys()]
    wrong += [
        f"{name}: listed as compressed, no such tensor" for name in compressed - original.keys()
    ]
    for name in original.keys() & restored.keys():
        old, new = original[name], restored[name]
        if (old["dtype"], old["shape"]) != (new["dtype"], new["shape"]):
            wrong.append(f"{name}: {new['dtype']} {new['shape']} was {old['dtype']} {old['shape']}")
        elif name not in compressed:
            if old["data"] != new["data"]:
                wrong.append(f"{name}: not compressed, but its bytes differ")
        elif old["dtype"] not in (*FLOATS, "BF16"):
            wrong.append(f"{name}: compressed, but of type {old['dtype']}")
        elif not (error := relative_error(old, new)) <= limit:  # NaN is wrong too
            wrong.append(f"{name}: relative error {error:.6g} is above {limit:g}")
    return sorted(wrong)


def load_in_torch(original: str, restored: str) -> str:
    """Loads the restored file strictly into modules named as the original's tensors are."""
    try:
        import torch
        from safetensors.torch import load_file
    except ImportError:
        return "skipped (not installed)"
    root = torch.nn.Module()
    for name, value in load_file(original).items():
        *path, leaf = name.split(".")
        module = root
        for part in path:
            if part not in module._modules:
                module.add_module(part, torch.nn.Module())
            module = module._modules[part]
        module.register_buffer(leaf, torch.zeros_like(value))
    values = load_file(restored)
    root.load_state_dict(values, strict=True)
    return f"load_state_dict(strict=True) took {len(values)} tensors"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("original")
    parser.add_argument("restored")
    parser.add_argument("--compressed", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--report", help="JSON with tensors[].name and tensors[].compressed")
    parser.add_argument("--max-error", type=float, default=0.0, help="relative, each tensor")
    options = parser.parse_args()

    compressed = set(options.compressed)
    if options.report:
        tensors = json.loads(Path(options.report).read_text())["tensors"]
        compressed |= {tensor["name"] for tensor in tensors if tensor["compressed"]}
    try:
        original, restored = read(options.original), read(options.restored)
    except (OSError, safetensors.SafetensorError) as error:
        print(error)
        return 1
    wrong = differences(original, restored, compressed, options.max_error)
    for line in wrong:
        print(line)
    if wrong:
        return 1
    print(f"{len(original)} tensors, {len(compressed)} compressed: as they should be")
    try:
        print(f"torch: {load_in_torch(options.original, options.restored)}")
    except (RuntimeError, KeyError) as error:
        print(f"torch: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
