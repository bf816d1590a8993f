"""Writes Tests/Fixtures/training/quantization.json: rounding to few bits as torch computes it.

    python Tests/Interop/quantization_cases.py

Values are multiples of 1/256, so that means of ranges are exact and the tests can ask for every
bit.
"""
from __future__ import annotations

import json
from pathlib import Path

import torch

MOMENTUM = 0.1


def numbers(shape: tuple, seed: int) -> torch.Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return (values * 256).round() / 256


def rounded(x: torch.Tensor, low: torch.Tensor, high: torch.Tensor, bits: int) -> torch.Tensor:
    top = 2.0**bits - 1
    step = (high - low) / top
    return ((x - low) / step).clamp(0, top).round() * step + low


def floats(x: torch.Tensor) -> list:
    return [float(value) for value in x.flatten()]


def activations(bits: int) -> dict:
    """Two batches of images, and the running range after each."""
    batches, running = [], None
    for seed in (1, 2):
        x = numbers((4, 3, 2, 5), seed)
        low, high = (end.values.mean() for end in (x.flatten(1).min(1), x.flatten(1).max(1)))
        now = torch.stack([low, high])
        running = now if running is None else running * MOMENTUM + now * (1 - MOMENTUM)
        batches.append({"x": floats(x), "rounded": floats(rounded(x, low, high, bits)),
                        "running": floats(running)})
    return {"bits": bits, "images": 4, "elements": 30, "batches": batches}


def weights(bits: int) -> dict:
    """Each filter in its own range; one is constant, which stays."""
    w = numbers((5, 3, 3, 2), 3)
    w[3] = 0.25
    low, high = (end.values.view(5, 1, 1, 1) for end in (w.flatten(1).min(1), w.flatten(1).max(1)))
    result = rounded(w, low, high, bits)
    result[3] = w[3]
    return {"bits": bits, "filters": 5, "elements": 18, "w": floats(w), "rounded": floats(result)}


def main() -> None:
    path = Path(__file__).parent.parent / "Fixtures" / "training" / "quantization.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({
        "torch": torch.__version__,
        "activations": [activations(bits) for bits in (8, 4)],
        "weights": [weights(bits) for bits in (8, 3)],
    }) + "\n")


if __name__ == "__main__":
    main()
