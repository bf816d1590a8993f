"""Checks that dense training of ResNet-20 follows PyTorch's: python training_follows_pytorch.py SMARTDEAL

Both start from one file and take the same batches of the bundled images in the same order: SGD with Nesterov's
momentum and weight decay. From trained weights with a rate of 0.01: the losses of 20 steps and the running
statistics after them agree within 1e-3, all parameters after one step within 1e-4 of the tensor's largest.

From random weights with a rate of 0.05 rounding grows too fast for that: PyTorch in two memory layouts is
percents from itself after 20 steps. There the loss before and after the first update is held to 1e-3; the others
are shown beside PyTorch's distance from itself. Exit status 0 or 1.
"""
from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from onnx_in_torch import initializers
from smartdeal_train import FIXTURES, Trained, bundled_training_set, export, train
from torch_networks import ResNet20

BATCH, STEPS = 100, 20
MOMENTUM, DECAY = 0.9, 5e-4
LOSS_LIMIT, STATISTICS_LIMIT, PARAMETER_LIMIT = 1e-3, 1e-3, 1e-4
TRAINED = FIXTURES / "fashion_resnet20" / "fashion_resnet20.safetensors"


def with_values(network: Path, values: dict[str, Tensor], path: Path) -> Path:
    """A copy of the file with other values of its tensors."""
    model = onnx.load(network)
    for item in model.graph.initializer:
        item.CopyFrom(numpy_helper.from_array(values[item.name].numpy(), item.name))
    onnx.save(model, path)
    return path


def torch_training(values: dict[str, Tensor], images: Tensor, labels: Tensor, steps: int, rate: float) -> Trained:
    """What PyTorch makes of the network, in the memory layout of the images."""
    network = ResNet20(channels=1)
    missing, unexpected = network.load_state_dict(values, strict=False)
    if unexpected or any("num_batches_tracked" not in name for name in missing):
        raise RuntimeError(f"names differ: torch lacks {unexpected}, the file lacks {missing}")
    optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=MOMENTUM, nesterov=True,
                                weight_decay=DECAY)
    losses = []
    for i in range(steps):
        batch = slice(i * BATCH, (i + 1) * BATCH)
        loss = cross_entropy(network(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return Trained(losses, {name: value for name, value in network.state_dict().items() if name in values})


def worst(found: dict[str, Tensor], expected: dict[str, Tensor], kind: str) -> tuple[float, str]:
    """The largest difference relative to the tensor's largest value, and where; kind: a part of the names."""
    errors = {name: (found[name] - value).abs().max() / value.abs().max().clamp_min(1e-6)
              for name, value in expected.items() if (".running_" in name) == (kind == "statistics")}
    name = max(errors, key=errors.get)
    return errors[name].item(), name


def differences(found: list[float], expected: list[float]) -> list[float]:
    return [abs(a - b) / abs(b) for a, b in zip(found, expected)]


class Comparison:
    """One start and one rate, in smartdeal and in PyTorch."""

    def __init__(self, smartdeal: str, network: Path, folder: Path, rate: float):
        folder.mkdir()
        self.network, self.folder, self.rate, self.smartdeal = network, folder, rate, smartdeal
        self.dataset, images, labels = bundled_training_set(folder / "images")
        self.images, self.labels = torch.from_numpy(images), torch.from_numpy(labels)
        self.failures = 0

    def check(self, what: str, error: float, limit: float) -> None:
        holds = error <= limit
        self.failures += not holds
        print(f"  {what}: {error:.1e}{'' if holds else f'  FAILED: above {limit:g}'}")

    def ours(self, steps: int) -> Trained:
        trained = train(self.smartdeal, self.network, self.dataset, self.folder / f"out{steps}", BATCH, steps,
                        self.rate, MOMENTUM, DECAY, losses=True)
        if len(trained.losses) != steps:
            raise RuntimeError(f"{len(trained.losses)} losses in log.jsonl, {steps} expected")
        return trained

    def theirs(self, steps: int, layout: torch.memory_format = torch.contiguous_format) -> Trained:
        images = self.images.to(memory_format=layout)
        return torch_training(initializers(self.network), images, self.labels, steps, self.rate)

    def losses(self, ours: Trained, theirs: Trained, compared: int) -> None:
        for name, run in [("smartdeal", ours), ("torch", theirs)]:
            print(f"  {name:9}  " + " ".join(f"{loss:.5f}" for loss in run.losses))
        self.check(f"losses of {compared} steps", max(differences(ours.losses, theirs.losses)[:compared]), LOSS_LIMIT)


def main() -> int:
    smartdeal = sys.argv[1]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        network = export(smartdeal, "resnet20@1x28x28/10", folder / "random.onnx")
        trained = with_values(network, load_file(TRAINED), folder / "trained.onnx")

        print("trained weights, rate 0.01")
        warm = Comparison(smartdeal, trained, folder / "warm", 0.01)
        for steps, kind, limit in [(1, "parameters", PARAMETER_LIMIT), (STEPS, "statistics", STATISTICS_LIMIT)]:
            ours, theirs = warm.ours(steps), warm.theirs(steps)
            error, name = worst(ours.values, theirs.values, kind)
            warm.check(f"{kind} after {steps} steps, at worst {name}", error, limit)
        warm.losses(ours, theirs, STEPS)

        print("random weights, rate 0.05")
        cold = Comparison(smartdeal, network, folder / "cold", 0.05)
        ours, theirs = cold.ours(STEPS), cold.theirs(STEPS)
        cold.losses(ours, theirs, 2)
        itself = cold.theirs(STEPS, torch.channels_last)
        print(f"  losses of {STEPS} steps: {max(differences(ours.losses, theirs.losses)):.1e}, "
              f"torch from itself {max(differences(itself.losses, theirs.losses)):.1e}")
    failures = warm.failures + cold.failures
    print(f"{failures} checks failed" if failures else "training follows PyTorch's")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
