"""Networks exported by torch, with both of its exporters, at several batches and image sizes."""
from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import torch_networks
from agreement import Case, onnxruntime_outputs

IMAGES = [(1, 3, 33, 47), (32, 3, 33, 47)]
FREE_IMAGES = [(1, 3, 33, 47), (2, 3, 57, 40), (32, 3, 33, 47)]
SENTENCES = [(1, 5), (3, 17), (32, 9)]


def numbers(shape: tuple) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(3).standard_normal(shape).astype(np.float32)}


def words(shape: tuple) -> dict[str, np.ndarray]:
    """Token numbers; every second sentence is shorter and masked."""
    ids = np.random.default_rng(3).integers(1, 100, shape)
    mask = np.ones_like(ids)
    mask[1::2, shape[1] // 2:] = 0
    return {"input_ids": ids * mask, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


WORD_AXES = {name: {0: "batch", 1: "sequence"} for name in words((1, 1))}
# name: network, inputs of a shape, shapes, dynamic dimensions, opset of the older exporter
NETWORKS = {
    "resnet": (torch_networks.small_resnet, numbers, IMAGES, {"x": {0: "batch"}}, 11),
    "resnet, any image": (torch_networks.small_resnet, numbers, FREE_IMAGES,
                          {"x": {0: "batch", 2: "height", 3: "width"}}, 17),
    "separable": (torch_networks.small_separable, numbers, IMAGES, {"x": {0: "batch"}}, 13),
    "separable, fixed": (torch_networks.small_separable, numbers, [(2, 3, 31, 45)], {}, 17),
    "transformer": (torch_networks.small_transformer, numbers, [(1, 11, 32), (32, 11, 32)],
                    {"x": {0: "batch"}}, 14),
    "bert": (torch_networks.small_bert, words, SENTENCES, WORD_AXES, 13),
}
NEWER_OPSETS = [18, 21]


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """The exporters talk much."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings(), open(os.devnull, "w") as nothing:
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
            yield
    logging.disable(logging.NOTSET)


def torch_cases(folder: Path) -> list[Case]:
    """Writes the files and the outputs that ONNX Runtime computes from them."""
    cases, has_newer = [], importlib.util.find_spec("onnxscript") is not None
    if not has_newer:
        print("networks of torch's newer exporter skipped: onnxscript is not installed")
    for name, (build, make_inputs, shapes, axes, older) in NETWORKS.items():
        torch.manual_seed(5)
        network = torch_networks.randomised(build(), seed=5)
        newer = NEWER_OPSETS[len(cases) % len(NEWER_OPSETS)]
        exporters = [("older", older)] + [("newer", newer)] * has_newer
        for exporter, opset in exporters:
            path = folder / f"torch-{name.replace(', ', '-').replace(' ', '-')}-{exporter}.onnx"
            example = {key: torch.from_numpy(value) for key, value in make_inputs(shapes[-1]).items()}
            with silence():
                torch_networks.export(network, example, ["y"], str(path), axes, opset,
                                      dynamo=exporter == "newer")
            for shape in shapes:
                inputs = make_inputs(shape)
                size = "x".join(map(str, shape))
                cases.append(Case(f"torch {name}, {exporter} exporter, opset {opset}, {size}", "network",
                                  path, inputs, onnxruntime_outputs(path, inputs)))
    return cases
