"""Latency of whole networks in F32: smartdeal against ONNX Runtime on the same ONNX files, interleaved.

    python compare_latency.py SMARTDEAL [--networks NAME...] [--threads T...] [--rounds R] [--repeat K]

A round starts `smartdeal bench FILE --repeat K` and a process that runs the file K times in ONNX Runtime (one
stream, T threads), each bound to the first T cores, the order alternating. Reported: the least time and the
median of all rounds' medians, the median over the rounds of smartdeal's median / ONNX Runtime's, and
the share of a core that other processes took meanwhile; rounds where it was above --others are left
out, never by what they measured. Last, how long reading a file of 100 MB takes. Writes
Benchmarks/results/latency.json.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parents[1] / "results" / "latency.json"
NETWORKS = ["resnet18", "resnet50", "mobilenetv2"]
WARM_UP = 3
LIMIT = 1.15  # smartdeal's median / ONNX Runtime's
LOAD_LIMIT = 1.0  # seconds for 100 MB


def onnxruntime_session(path: str, threads: int):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def time_onnxruntime(path: str, threads: int, repeat: int) -> dict:
    """What the child process prints: the keys of `smartdeal bench --json`."""
    model = onnxruntime_session(path, threads)
    value = model.get_inputs()[0]
    shape = [size if isinstance(size, int) else 1 for size in value.shape]
    inputs = {value.name: np.random.default_rng(0).standard_normal(shape).astype(np.float32)}
    times = []
    for _ in range(WARM_UP + repeat):
        start = time.perf_counter()
        model.run(None, inputs)
        times.append(1e3 * (time.perf_counter() - start))
    times = times[WARM_UP:]
    return {"min_ms": min(times), "median_ms": statistics.median(times)}


def busy_seconds() -> float:
    """CPU seconds of the whole machine so far: all but idle, waiting and stolen."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4] - ticks[7]) / os.sysconf("SC_CLK_TCK")


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bound(command: list[str], threads: int) -> tuple[dict, float]:
    """Runs a command on the first cores; its JSON, and the cores that other processes took."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    busy, own, start = busy_seconds(), children_seconds(), time.perf_counter()
    run = subprocess.run(["taskset", "-c", ",".join(map(str, cores)), *command],
                         capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if run.returncode:
        sys.exit(f"{' '.join(command)}: {run.stderr.strip() or run.returncode}")
    others = (busy_seconds() - busy - (children_seconds() - own)) / seconds
    return json.loads(run.stdout), max(0.0, others)


def one_round(smartdeal: str, path: str, threads: int, repeat: int, ours_first: bool) -> dict:
    """Both once: their times, and the larger share of others."""
    commands = {
        "smartdeal": [smartdeal, "bench", path, "--repeat", str(repeat), "--threads", str(threads),
                      "--json", "--quiet"],
        "onnxruntime": [sys.executable, __file__, "--child", path, str(threads), str(repeat)],
    }
    result, others = {}, []
    for name in sorted(commands, reverse=ours_first):
        times, share = bound(commands[name], threads)
        result[name] = {key: times[key] for key in ("min_ms", "median_ms")}
        others.append(share)
    return result | {"others": max(others)}


def summary(rounds: list[dict], others: float) -> dict:
    """Numbers of the rounds that nothing disturbed; of all of them when there is none."""
    kept = [r for r in rounds if r["others"] <= others] or rounds
    result = {"rounds": len(rounds), "rounds_used": len(kept),
              "disturbed": all(r["others"] > others for r in rounds)}
    for name in ("smartdeal", "onnxruntime"):
        result[name] = {"min_ms": min(r[name]["min_ms"] for r in kept),
                        "median_ms": statistics.median(r[name]["median_ms"] for r in kept)}
    ratios = [r["smartdeal"]["median_ms"] / r["onnxruntime"]["median_ms"] for r in kept]
    return result | {"ratio": statistics.median(ratios), "ratios": sorted(ratios)}


def line(name: str, threads: int, row: dict) -> str:
    ours, theirs = row["smartdeal"], row["onnxruntime"]
    verdict = "" if row["ratio"] <= LIMIT else f"  above {LIMIT}"
    note = "  (other processes ran)" if row["disturbed"] else ""
    return (f"{name:12} {threads:7}  {ours['min_ms']:9.2f} {ours['median_ms']:9.2f}  "
            f"{theirs['min_ms']:9.2f} {theirs['median_ms']:9.2f}  {row['ratio']:5.2f}"
            f"  {row['rounds_used']} of {row['rounds']}{verdict}{note}")


def export(smartdeal: str, name: str, path: Path) -> None:
    subprocess.run([smartdeal, "export", name, "-o", str(path), "--seed", "1", "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)


def write_large_model(path: Path, layers: int = 24) -> None:
    """A perceptron of 1024 x 1024 layers, 4.2 MB each: 100.7 MB."""
    from onnx import TensorProto, helper, numpy_helper, save

    random, nodes, weights = np.random.default_rng(0), [], []
    for i in range(layers):
        values = random.standard_normal((1024, 1024), dtype=np.float32) / 32
        weights.append(numpy_helper.from_array(values, f"w{i}"))
        nodes.append(helper.make_node("Gemm", [f"v{i}", f"w{i}"], [f"v{i + 1}"]))
    ends = [helper.make_tensor_value_info(f"v{i}", TensorProto.FLOAT, [1, 1024]) for i in (0, layers)]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], weights)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def load_times(smartdeal: str, path: Path, rounds: int) -> dict:
    """Seconds: of smartdeal's key load_ms, or of one whole run without it; of ONNX Runtime's session."""
    ours, theirs = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        text = subprocess.run([smartdeal, "bench", str(path), "--repeat", "1", "--threads", "1", "--json",
                               "--quiet"], check=True, capture_output=True, text=True).stdout
        whole, report = time.perf_counter() - start, json.loads(text)
        ours.append(report["load_ms"] / 1e3 if "load_ms" in report else whole)
        start = time.perf_counter()
        onnxruntime_session(str(path), 1)
        theirs.append(time.perf_counter() - start)
    return {"bytes": path.stat().st_size, "measured": "load" if "load_ms" in report else "process",
            "smartdeal_s": statistics.median(ours), "onnxruntime_s": statistics.median(theirs)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("smartdeal")
    parser.add_argument("--networks", nargs="+", default=NETWORKS, metavar="NAME")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="T")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--others", type=float, default=0.1, help="cores that others may take")
    options = parser.parse_args()

    import onnxruntime

    report = {"onnxruntime": onnxruntime.__version__, "machine": platform.machine(),
              "repeat": options.repeat, "networks": {}}
    print("                        smartdeal, ms        ONNX Runtime, ms\n"
          "network      threads        min    median        min    median  ratio  rounds")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.networks:
            path = Path(folder) / f"{name}.onnx"
            export(options.smartdeal, name, path)
            for threads in options.threads:
                rounds = [one_round(options.smartdeal, str(path), threads, options.repeat, i % 2 == 0)
                          for i in range(options.rounds)]
                row = summary(rounds, options.others)
                report["networks"].setdefault(name, {})[str(threads)] = row
                print(line(name, threads, row), flush=True)
        large = Path(folder) / "large.onnx"
        write_large_model(large)
        report["load"] = load = load_times(options.smartdeal, large, 5)
    print(f"load {load['bytes'] / 1e6:.0f} MB: smartdeal {load['smartdeal_s']:.2f} s ({load['measured']}), "
          f"ONNX Runtime {load['onnxruntime_s']:.2f} s")
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    rows = [row for network in report["networks"].values() for row in network.values()]
    return 0 if all(row["ratio"] <= LIMIT for row in rows) and load["smartdeal_s"] <= LOAD_LIMIT else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(time_onnxruntime(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
        sys.exit(0)
    sys.exit(main())
