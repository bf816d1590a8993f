"""Checks one step of plain SGD of the built-in networks against torch: one_step_like_pytorch.py SMARTDEAL [NETWORK...]

Every network is exported, and one batch of 16 random images changes its parameters: in `smartdeal train`, and in
torch, which runs the exported file (onnx_in_torch.py) in float64. Compared, for every parameter and running
statistic: the norm of the difference, relative to that of the change, 1e-3. In a deep network rounding decides
whether some ReLU is open, and one that opens late changes all gradients before it. So torch in float32 makes the
step too, four times, in two memory layouts, with images moved by their rounding. Where the median of all tensors
or the worst of them is further from float64 there, three times as much is the limit for that figure. Before
that, the file in torch is held to ONNX Runtime in inference mode. Exit status 0 or 1.
"""
from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from agreement import LIMIT as INFERENCE_LIMIT, onnxruntime_outputs, relative_error
from onnx_in_torch import ONNXModule, initializers
from smartdeal_train import export, random_training_set, train

NETWORKS = ["lenet5@1x28x28/10", "mlp@1x28x28/10", "resnet20@1x28x28/10", "vgg11@3x32x32/10", "resnet18@3x32x32/10",
            "resnet50@3x32x32/10", "resnet164@3x32x32/10", "mobilenetv2@3x32x32/10",
            "efficientnet-lite0@3x64x64/10"]
BATCH, RATE = 16, 0.1
LIMIT, SLACK, NOISY_RUNS = 1e-3, 3, 4
SMALLEST_CHANGE = 1e-4  # of the largest of all: a bias before a batch norm has no gradient but rounding
Values = dict[str, Tensor]


def torch_step(path: Path, images: Tensor, labels: Tensor, type: torch.dtype) -> Values:
    """All that the step changes, afterwards."""
    module = ONNXModule(path).to(type).train()
    cross_entropy(module(images.to(type)), labels).backward()
    with torch.no_grad():
        for value in module.learned().values():
            value -= RATE * value.grad
    return {name: value.detach() for name, value in (module.learned() | module.statistics()).items()}


def errors(found: Values, expected: Values, start: Values) -> dict[str, float]:
    """Of every tensor, beyond what rounding the result to float32 makes."""
    missing = sorted(expected.keys() - found.keys())
    if missing:
        raise RuntimeError(f"the trained file lacks {', '.join(missing)}")
    changes = {name: (value - start[name].double()).norm() / value.numel() ** 0.5
               for name, value in expected.items()}
    smallest = SMALLEST_CHANGE * max(changes.values())
    result = {}
    for name, value in expected.items():
        difference = (found[name].double() - value).norm() / value.numel() ** 0.5
        rounding = torch.finfo(torch.float32).eps * start[name].abs().max().double()
        result[name] = max(0.0, ((difference - rounding) / max(changes[name], smallest)).item())
    return result


def median_and_worst(errors: dict[str, float]) -> tuple[float, float]:
    return statistics.median(errors.values()), max(errors.values())


def torch_noise(path: Path, images: Tensor, labels: Tensor, expected: Values, start: Values) -> tuple[float, float]:
    """How far torch in float32 is from `expected`: the largest median and worst of several runs."""
    runs = []
    for seed in range(NOISY_RUNS):
        noise = torch.rand(images.shape, generator=torch.Generator().manual_seed(seed)) - 0.5
        moved = images * (1 + torch.finfo(torch.float32).eps * 2 * noise)
        layout = torch.channels_last if seed % 2 else torch.contiguous_format
        found = torch_step(path, moved.contiguous(memory_format=layout), labels, torch.float32)
        runs.append(median_and_worst(errors(found, expected, start)))
    return max(run[0] for run in runs), max(run[1] for run in runs)


def inference_error(path: Path, images: np.ndarray) -> float:
    """The file in torch against ONNX Runtime."""
    module = ONNXModule(path).eval()
    (expected,) = onnxruntime_outputs(path, {module.input: images}).values()
    with torch.no_grad():
        return relative_error(module(torch.from_numpy(images)).numpy(), expected)


def check(smartdeal: str, name: str, folder: Path) -> bool:
    """Prints a line; whether the network agrees."""
    path = export(smartdeal, name, folder / "x.onnx")
    shape = [int(size) for size in name.split("@")[1].split("/")[0].split("x")]
    dataset, images, labels = random_training_set(folder / "images", shape, BATCH)
    inference = inference_error(path, images)
    images, labels, start = torch.from_numpy(images), torch.from_numpy(labels), initializers(path)
    expected = torch_step(path, images, labels, torch.float64)
    noise = torch_noise(path, images, labels, expected, start)
    found = errors(train(smartdeal, path, dataset, folder / "out", BATCH, 1, RATE).values, expected, start)
    figures = median_and_worst(found)
    holds = inference <= INFERENCE_LIMIT and all(
        ours <= max(LIMIT, SLACK * theirs) for ours, theirs in zip(figures, noise))
    print(f"{name:30}  {len(found):4} tensors  median {figures[0]:7.1e} (torch {noise[0]:7.1e})"
          f"  worst {figures[1]:7.1e} (torch {noise[1]:7.1e})  {max(found, key=found.get)}"
          f"{'' if inference <= INFERENCE_LIMIT else f'  inference {inference:.1e}'}"
          f"{'' if holds else '  FAILED'}", flush=True)
    return holds


def main() -> int:
    smartdeal, names = sys.argv[1], sys.argv[2:] or NETWORKS
    failures = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                failures += not check(smartdeal, name, Path(folder))
            except RuntimeError as problem:
                print(f"{name:30}  FAILED: {problem}", flush=True)
                failures += 1
    print(f"{len(names) - failures} of {len(names)} networks learn as in torch")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
