"""Runs `smartdeal train` on dense networks, and writes the data sets for it."""
from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from onnx_in_torch import initializers

FIXTURES = Path(__file__).parents[1] / "Fixtures"
# Images as they are, in the order of the files.
PLAIN = {"shuffle": False, "augmentation": {"crop": 0, "flip": False}, "schedule": "constant", "optimizer": "sgd"}


@dataclass
class Trained:
    """The loss of every step where it was asked for, and the tensors of the network afterwards."""

    losses: list[float]
    values: dict[str, Tensor]


def command(smartdeal: str, *arguments: object) -> None:
    """Runs smartdeal; RuntimeError with its words."""
    run = subprocess.run([smartdeal, *map(str, arguments), "--quiet"], capture_output=True, text=True)
    if run.returncode:
        words = (run.stderr or run.stdout).strip() or f"exit {run.returncode}"
        raise RuntimeError(f"smartdeal {arguments[0]}: {words}")


def export(smartdeal: str, name: str, path: Path) -> Path:
    """A built-in network with the weights of seed 0."""
    command(smartdeal, "export", name, "--seed", 0, "-o", path)
    return path


def train(smartdeal: str, network: Path, dataset: Path, folder: Path, batch: int, steps: int, rate: float,
          momentum: float = 0, decay: float = 0, losses: bool = False) -> Trained:
    """The network in dense form after `steps` steps of SGD (Nesterov's, with momentum), without shuffling."""
    settings = PLAIN | {"learning-rate": rate, "momentum": momentum, "nesterov": momentum > 0,
                        "weight-decay": decay} | ({"log-steps": True} if losses else {})
    config = folder.with_suffix(".yaml")
    config.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items()))
    command(smartdeal, "train", "--network", network, "--dataset", dataset, "-o", folder, "--form", "dense",
            "--epochs", 1, "--batch", batch, "--limit", batch * steps, "--test-limit", batch, "--config", config,
            "--threads", 2)
    epoch = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    return Trained(epoch.get("step_losses", []), initializers(folder / "model.onnx"))


def bundled_training_set(folder: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """The bundled images of Fashion-MNIST as both splits; also as `[N, 1, 28, 28]`, normalised, and labels."""
    source = FIXTURES / "fashion_mnist_2000"
    folder.mkdir()
    for file in [*source.glob("t10k-*.gz"), source / "dataset.json"]:
        shutil.copy(file, folder)
        shutil.copy(file, folder / file.name.replace("t10k", "train"))
    pixels = gzip.decompress((source / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((source / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
    images = np.frombuffer(pixels, np.uint8).reshape(-1, 1, 28, 28).astype(np.float32)
    images = (images / np.float32(255) - np.float32(0.2860)) / np.float32(0.3530)
    return folder, images, np.frombuffer(labels, np.uint8).astype(np.int64)


def random_training_set(folder: Path, shape: list[int], count: int) -> tuple[Path, np.ndarray, np.ndarray]:
    """`count` random images of 10 classes as NPY files, both splits; also normalised, and labels."""
    random = np.random.default_rng(0)
    pixels = random.random((count, *shape), dtype=np.float32)
    labels = np.arange(count) % 10  # a folder of classes is read class by turn
    for split in ("train", "test"):
        for i, image in enumerate(pixels):
            path = folder / split / f"class{labels[i]}" / f"{i:04}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, image)
    if shape[0] == 3:  # normalised as ImageNet, which images in colour are without another name
        mean, deviation = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        mean, deviation = (np.array(v, np.float32)[:, None, None] for v in (mean, deviation))
        pixels = (pixels - mean) / deviation
    return folder, pixels, labels
