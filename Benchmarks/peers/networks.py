"""Latency of whole networks in int8: smartdeal against OpenVINO, ONNX Runtime and DeepSparse, interleaved.

    python networks.py SMARTDEAL [--networks NAME...] [--prune FRACTION...] [--threads T...] [--rounds R]
                       [--seconds S] [--openvino PYTHON] [--onnxruntime PYTHON] [--deepsparse PYTHON]

PYTHON is an interpreter that has the package; a peer without one is left out. This interpreter needs onnx
and onnxruntime. DeepSparse 1.8 (PyPI) wants an environment of its own, with Python 3.11 at most.

Weights are random, so this says nothing of accuracy. OpenVINO runs the dense network of `smartdeal export
--precision int8` (QuantizeLinear and DequantizeLinear, a scale a filter), ONNX Runtime what its own quantiser
makes of it; zeros bring them nothing. DeepSparse runs the network with the zeros that `smartdeal compress
--prune` leaves, groups of 32 filters sharing them, in the only form that it compiles whole: QLinearConv with
one scale a tensor.

Every side is a process that stays, bound to the first T cores. A round asks each in turn for about S seconds
of runs, the order alternating. Reported: the least time, the median of the rounds' medians, and the median
over the rounds of a peer's median / smartdeal's; rounds in which other processes took more than --others of a
core are left out, never by what they measured. Writes Benchmarks/results/networks.json.
"""
from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results" / "networks.json"
NETWORKS = ["resnet18", "resnet50"]
INPUT = (1, 3, 224, 224)
# What a network in which at least this share is pruned has to reach: peer -> its time / smartdeal's.
LIMITS = {0.8: {"openvino": 1.8, "deepsparse": 1.5}, 0.5: {"openvino": 1.3}}


# A peer, in a process with its own interpreter.

def openvino_run(path: str, threads: int):
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    # A new batch dimension would keep it from planning ahead.
    model.reshape(list(INPUT))
    compiled = core.compile_model(model, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1})
    request = compiled.create_infer_request()
    return openvino.__version__.split("-")[0], lambda values: request.infer([values])


def onnxruntime_run(path: str, threads: int):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads that wait by turning would slow the other sides.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return onnxruntime.__version__, lambda values: session.run(None, {name: values})


def deepsparse_run(path: str, threads: int):
    import deepsparse

    engine = deepsparse.compile_model(path, batch_size=1, num_cores=threads)
    share = engine.fraction_of_supported_ops
    if share < 0.9:
        sys.exit(f"deepsparse compiles only {share:.0%} of the network")
    return deepsparse.__version__, lambda values: engine.run([values], val_inp=False)


PEERS = {"openvino": openvino_run, "onnxruntime": onnxruntime_run, "deepsparse": deepsparse_run}


def child(peer: str, path: str, threads: int) -> None:
    import numpy

    values = numpy.random.default_rng(0).standard_normal(INPUT, dtype=numpy.float32)
    version, run = PEERS[peer](path, threads)
    run(values)
    print(json.dumps({"version": version}), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            run(values)
            times.append(1e3 * (time.perf_counter() - start))
        print(json.dumps({"min_ms": min(times), "median_ms": statistics.median(times)}), flush=True)


# Models.

def tool(*command: object) -> None:
    run = subprocess.run([*map(str, command), "--quiet"], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {run.stderr.strip()}")


def quantise(dense: Path, path: Path, peer: str) -> None:
    """ONNX Runtime's quantiser: QuantizeLinear and DequantizeLinear with a scale a filter, or for DeepSparse
    QLinearConv with one a tensor; additions and the classifier of that stay in floats."""
    import logging

    import numpy
    import onnx
    import onnxruntime
    from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType,
                                          quantize_static)

    class RandomImages(CalibrationDataReader):
        def __init__(self, name: str):
            random = numpy.random.default_rng(1)
            self.images = iter([{name: random.standard_normal(INPUT, dtype=numpy.float32)} for _ in range(2)])

        def get_next(self):
            return next(self.images, None)

    logging.disable(logging.WARNING)
    # Batch normalisation goes into the convolutions first: left between, it stops DeepSparse.
    session = onnxruntime.SessionOptions()
    session.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session.optimized_model_filepath = str(path.with_suffix(".folded"))
    name = onnxruntime.InferenceSession(dense, session, providers=["CPUExecutionProvider"]).get_inputs()[0].name
    forms = {"onnxruntime": {"quant_format": QuantFormat.QDQ, "per_channel": True},
             "deepsparse": {"quant_format": QuantFormat.QOperator, "per_channel": False,
                            "op_types_to_quantize": ["Conv"]}}
    quantize_static(
        session.optimized_model_filepath, path, RandomImages(name), activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
        extra_options={"WeightSymmetric": True}, **forms[peer])
    # ONNX Runtime declares operator sets that the network does not use, newer than DeepSparse knows.
    model = onnx.load(path)
    used = {node.domain for node in model.graph.node}
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    model.ir_version = 8
    onnx.save(model, path)


def models(smartdeal: str, network: str, prune: float, peers: dict[str, str], folder: Path) -> dict[str, Path]:
    """The file of each peer."""
    name = f"{network}@3x224x224/1000"
    result = {peer: folder / f"{network}-{peer}{f'-{prune}' if peer == 'deepsparse' else ''}.onnx" for peer in peers}
    missing = {peer: path for peer, path in result.items() if not path.exists()}
    dense, packed, zeros = (folder / f"{network}-{stage}.tmp" for stage in ("dense", "packed", "zeros"))
    if "openvino" in missing:
        tool(smartdeal, "export", name, "-o", missing["openvino"], "--precision", "int8", "--opset", 13)
    if {"onnxruntime", "deepsparse"} & set(missing):
        tool(smartdeal, "export", name, "-o", dense, "--opset", 13)
    if "onnxruntime" in missing:
        quantise(dense, missing["onnxruntime"], "onnxruntime")
    if "deepsparse" in missing:
        tool(smartdeal, "compress", dense, "-o", packed, "--mode", "fast", *(["--prune", prune] if prune else []))
        tool(smartdeal, "restore", packed, "-o", zeros)
        quantise(zeros, missing["deepsparse"], "deepsparse")
    return result


def measured(options: argparse.Namespace, network: str, prune: float, threads: int,
             files: dict[str, Path], peers: dict[str, str]) -> dict:
    from training_step import Side

    commands = {"smartdeal": [
        options.smartdeal, "bench", f"{network}@3x224x224/1000", "--precision", "int8", "--prune", str(prune),
        "--threads", str(threads), "--rounds-on-stdin", "--quiet"]}
    for peer, python in peers.items():
        commands[peer] = [python, __file__, "--child", peer, str(files[peer]), str(threads)]
    sides = {name: Side(command, threads) for name, command in commands.items()}
    runs = {}
    for name, side in sides.items():
        side.ask(3)
        runs[name] = max(3, round(1e3 * options.seconds / side.ask(5)["median_ms"]))
    rounds = [{name: sides[name].ask(runs[name]) for name in (list(sides) if i % 2 == 0 else reversed(sides))}
              for i in range(options.rounds)]
    versions = {name: side.ready["version"] for name, side in sides.items()}
    for side in sides.values():
        side.close()
    quiet = [r for r in rounds if max(answer["others"] for answer in r.values()) <= options.others]
    kept = quiet or rounds
    row = {"network": network, "prune": prune, "threads": threads, "rounds": len(rounds),
           "rounds_used": len(kept), "disturbed": not quiet, "versions": versions, "times": {}, "ratios": {}}
    for name in sides:
        row["times"][name] = {"min_ms": min(r[name]["min_ms"] for r in kept),
                              "median_ms": statistics.median(r[name]["median_ms"] for r in kept)}
        if name != "smartdeal":
            row["ratios"][name] = statistics.median(
                r[name]["median_ms"] / r["smartdeal"]["median_ms"] for r in kept)
    return row


def limits(prune: float) -> dict[str, float]:
    return next((LIMITS[least] for least in sorted(LIMITS, reverse=True) if prune >= least), {})


def text(row: dict, peers: dict[str, str]) -> str:
    def cell(name: str) -> str:
        times = row["times"][name]
        return f"{times['min_ms']:.2f}, {times['median_ms']:.2f}"

    ratios = ", ".join(f"{row['ratios'][peer]:.2f}" for peer in peers)
    missed = [peer for peer, limit in limits(row["prune"]).items() if row["ratios"].get(peer, limit) < limit]
    note = (" below its limit: " + ", ".join(missed) if missed else "") + (" (busy)" if row["disturbed"] else "")
    return (f"| {row['network']} | {row['prune']:.0%} | {row['threads']} | {cell('smartdeal')} | "
            + " | ".join(cell(peer) for peer in peers) + f" | {ratios} |{note}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("smartdeal")
    parser.add_argument("--networks", nargs="+", default=NETWORKS, metavar="NAME")
    parser.add_argument("--prune", nargs="+", type=float, default=[0.0, 0.5, 0.8], metavar="FRACTION")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="T")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="of runs in a round")
    parser.add_argument("--others", type=float, default=0.1, help="cores that others may take")
    for peer in PEERS:
        parser.add_argument(f"--{peer}", metavar="PYTHON")
    options = parser.parse_args()
    peers = {peer: getattr(options, peer) for peer in PEERS if getattr(options, peer)}

    rows = []
    print(f"least, median ms | {' | '.join(peers)}\n\n"
          f"| network | pruned | threads | smartdeal | {' | '.join(peers)} | times as long |\n"
          "|---|---|---|" + "---|" * (len(peers) + 2))
    with tempfile.TemporaryDirectory() as name:
        for network in options.networks:
            for prune in options.prune:
                files = models(options.smartdeal, network, prune, peers, Path(name))
                for threads in options.threads:
                    rows.append(measured(options, network, prune, threads, files, peers))
                    print(text(rows[-1], peers), flush=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(row["ratios"].get(peer, limit) >= limit
                    for row in rows for peer, limit in limits(row["prune"]).items()) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        sys.exit(0)
    sys.exit(main())
