"""Writes a corpus of ONNX models with inputs and with the outputs that ONNX Runtime computes.

    python models.py FOLDER [--every-opset]

For every operator that smartdeal runs, in all variants that differ, each variant in one of opsets 11, 13,
17, 18, 21 (or in every one); and, when torch is installed, networks that it exports. FOLDER receives
the models, NUMBER.npz (`in.NAME`, `out.NAME`) for each case, and cases.json that lists them.
"""
from __future__ import annotations

import argparse
import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx

import layer_cases  # noqa: F401  (adds its cases)
import shape_cases  # noqa: F401
from agreement import Case, onnxruntime_outputs
from operator_graph import CASES, Graph

OPSETS = [11, 13, 17, 18, 21]


# Operators that files of different opsets write differently, or mean differently: each form is tried.
FORMS = {
    "Squeeze": [11, 13], "Unsqueeze": [11, 13], "Split": [11, 13, 18], "Softmax": [11, 13], "Dropout": [11, 13],
    "ReduceMean": [13, 18], "ReduceSum": [11, 13], "ReduceMax": [13, 18], "ReduceMin": [13, 18],
}


def opsets_of(number: int, operator: str, first_opset: int, every: bool) -> list[int]:
    """The opsets in which one case is written."""
    possible = [opset for opset in OPSETS if opset >= first_opset]
    forms = [opset for opset in FORMS.get(operator, []) if opset in possible]
    return possible if every else forms or [possible[number % len(possible)]]


def written(graph: Graph, operator: str, path: Path, name: str, **external) -> Case:
    """The case of a graph, saved twice: how many dimensions its outputs have shows when it has run."""
    onnx.save_model(graph.model(), path)
    outputs = onnxruntime_outputs(path, graph.values)
    graph.declare_ranks(outputs)
    onnx.save_model(graph.model(), path, **external)
    onnx.checker.check_model(str(path), full_check=True)
    return Case(name, operator, path, graph.values, outputs)


def operator_cases(folder: Path, every_opset: bool) -> list[Case]:
    """One file for every variant of every operator."""
    cases = []
    for number, (name, (operator, first_opset, build)) in enumerate(CASES.items()):
        for opset in opsets_of(number, operator, first_opset, every_opset):
            graph = Graph(name, opset)
            build(graph)
            path = folder / (re.sub(r"\W+", "-", f"{number} {name} {opset}") + ".onnx")
            cases.append(written(graph, operator, path, f"{name}, opset {opset}"))
    return cases


def external_data_cases(folder: Path) -> list[Case]:
    """Weights in files beside the model: one file for all, and one for each weight."""
    cases = []
    for name, together in (("one file", True), ("a file each", False)):
        graph = Graph(f"External data in {name}", 17)
        x = graph.node("Conv", graph.input(graph.normal(2, 3, 9, 9), (0,)),
                       graph.weight(graph.normal(8, 3, 3, 3)), graph.weight(graph.normal(8)))
        x = graph.node("Flatten", graph.node("Relu", x))
        graph.output(graph.node("Gemm", x, graph.weight(graph.normal(392, 10))))
        place = folder / f"external-{name.replace(' ', '-')}"
        place.mkdir(exist_ok=True)
        cases.append(written(
            graph, "Gemm", place / "model.onnx", graph.name, save_as_external_data=True, size_threshold=0,
            all_tensors_to_one_file=together, location="weights.bin" if together else None))
    return cases


def write_corpus(folder: Path, every_opset: bool = False) -> list[Case]:
    """All cases, written below `folder`."""
    cases = operator_cases(folder, every_opset) + external_data_cases(folder)
    if importlib.util.find_spec("torch"):
        from torch_cases import torch_cases
        cases += torch_cases(folder)
    else:
        print("networks exported by torch skipped: torch is not installed")
    return cases


def write_list(cases: list[Case], folder: Path) -> None:
    """Inputs, outputs and the list of all, for whoever does not speak Python."""
    rows = []
    for number, case in enumerate(cases):
        arrays = {f"in.{key}": value for key, value in case.inputs.items()}
        arrays |= {f"out.{key}": value for key, value in case.outputs.items()}
        np.savez(folder / f"{number}.npz", **arrays)
        rows.append({"name": case.name, "operator": case.operator, "arrays": f"{number}.npz",
                     "model": str(case.path.relative_to(folder))})
    (folder / "cases.json").write_text(json.dumps(rows, indent=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every-opset", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    cases = write_corpus(options.folder, options.every_opset)
    write_list(cases, options.folder)
    print(f"{len(cases)} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
