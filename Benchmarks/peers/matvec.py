"""A linear layer times one vector: SmartDeal's packed weights beside ggml's repacked 4-bit ones (q4_K), in turns.

    python matvec.py SD_BENCH [--outputs N] [--inputs N] [--threads T...] [--seconds S] [--rounds N] [--ggml FOLDER]

SD_BENCH is the built sd-bench. Its rows are timed in one process with OpenBLAS sgemv; ggml is timed here, before and after each of its
runs. ggml's libraries come from llama-cpp-python, or from a FOLDER with libggml-base.so and libggml-cpu.so. Weights are Gaussian, in copies
of more than 256 MB in all that are used in turn, so that they come from memory. G weights/s count the weights of the dense layer; errors
are those of W x against the original weights. The figure of each side is its best over all rounds, the ratio the median over the rounds
of its rate / ggml's beside it. Writes Benchmarks/results/matvec.json.
"""
from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import tempfile
import time
from ctypes import POINTER, byref, c_bool, c_char_p, c_float, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402  (after the thread limits)

RESULTS = Path(__file__).parents[1] / "results" / "matvec.json"

F32, Q4_K = 0, 12
POOL_BYTES = 270 << 20


class InitParams(ctypes.Structure):
    _fields_ = [("mem_size", c_size_t), ("mem_buffer", c_void_p), ("no_alloc", c_bool)]


class Ggml:
    """The few functions of ggml that a product takes."""

    SIGNATURES = {
        "ggml_init": (c_void_p, [InitParams]),
        "ggml_new_tensor_2d": (c_void_p, [c_void_p, c_int, c_int64, c_int64]),
        "ggml_mul_mat": (c_void_p, [c_void_p, c_void_p, c_void_p]),
        "ggml_new_graph_custom": (c_void_p, [c_void_p, c_size_t, c_bool]),
        "ggml_build_forward_expand": (None, [c_void_p, c_void_p]),
        "ggml_row_size": (c_size_t, [c_int, c_int64]),
        "ggml_quantize_chunk": (c_size_t, [c_int, c_void_p, c_void_p, c_int64, c_int64, c_int64, c_void_p]),
        "ggml_backend_cpu_init": (c_void_p, []),
        "ggml_backend_cpu_set_n_threads": (None, [c_void_p, c_int]),
        "ggml_backend_get_device": (c_void_p, [c_void_p]),
        "ggml_backend_dev_backend_reg": (c_void_p, [c_void_p]),
        "ggml_backend_reg_get_proc_address": (c_void_p, [c_void_p, c_char_p]),
        "ggml_backend_get_default_buffer_type": (c_void_p, [c_void_p]),
        "ggml_backend_buft_name": (c_char_p, [c_void_p]),
        "ggml_backend_alloc_ctx_tensors_from_buft": (c_void_p, [c_void_p, c_void_p]),
        "ggml_backend_alloc_ctx_tensors": (c_void_p, [c_void_p, c_void_p]),
        "ggml_backend_tensor_set": (None, [c_void_p, c_void_p, c_size_t, c_size_t]),
        "ggml_backend_tensor_get": (None, [c_void_p, c_void_p, c_size_t, c_size_t]),
        "ggml_backend_graph_compute": (c_int, [c_void_p, c_void_p]),
    }

    def __init__(self, folder: Path) -> None:
        libraries = [ctypes.CDLL(str(folder / f"libggml-{part}.so"), mode=ctypes.RTLD_GLOBAL) for part in ("base", "cpu")]
        for name, (result, arguments) in self.SIGNATURES.items():
            function = next(getattr(library, name) for library in libraries if hasattr(library, name))
            function.restype, function.argtypes = result, arguments
            setattr(self, name.removeprefix("ggml_"), function)

    def repacked(self, backend: int) -> tuple[int, str]:
        """The buffer type that rearranges weights for this processor, else the plain one."""
        device = self.backend_get_device(backend)
        address = self.backend_reg_get_proc_address(self.backend_dev_backend_reg(device), b"ggml_backend_dev_get_extra_bufts")
        if address:
            types = ctypes.CFUNCTYPE(POINTER(c_void_p), c_void_p)(address)(device)
            for index in range(16):
                if not types or not types[index]:
                    break
                name = self.backend_buft_name(types[index]).decode()
                if "REPACK" in name:
                    return types[index], name
        kind = self.backend_get_default_buffer_type(backend)
        return kind, self.backend_buft_name(kind).decode()


class Product:
    """Copies of one quantised layer, each with its own graph."""

    def __init__(self, ggml: Ggml, outputs: int, inputs: int, threads: int) -> None:
        random = np.random.default_rng(1)
        weights = (0.05 * random.standard_normal((outputs, inputs))).astype(np.float32)
        x = random.standard_normal(inputs).astype(np.float32)
        self.ggml, self.weight_count = ggml, outputs * inputs
        self.backend = ggml.backend_cpu_init()
        ggml.backend_cpu_set_n_threads(self.backend, threads)
        kind, self.name = ggml.repacked(self.backend)
        size = ggml.row_size(Q4_K, inputs) * outputs
        self.bits = 8 * size / self.weight_count
        packed = ctypes.create_string_buffer(size)
        ggml.quantize_chunk(Q4_K, weights.ctypes.data, packed, 0, outputs, inputs, None)
        holder = ggml.init(InitParams(64 << 20, None, True))
        context = ggml.init(InitParams(64 << 20, None, True))
        copies = [ggml.new_tensor_2d(holder, Q4_K, inputs, outputs) for _ in range(POOL_BYTES // size + 1)]
        if not ggml.backend_alloc_ctx_tensors_from_buft(holder, kind):
            raise SystemExit("ggml cannot allocate the weights")
        vector = ggml.new_tensor_2d(context, F32, inputs, 1)
        self.graphs, results = [], []
        for copy in copies:
            result = ggml.mul_mat(context, copy, vector)
            graph = ggml.new_graph_custom(context, 4, False)
            ggml.build_forward_expand(graph, result)
            results.append(result)
            self.graphs.append(graph)
        ggml.backend_alloc_ctx_tensors(context, self.backend)
        ggml.backend_tensor_set(vector, x.ctypes.data, 0, x.nbytes)
        for copy in copies:
            ggml.backend_tensor_set(copy, packed, 0, size)
        self.run()
        y = np.empty(outputs, np.float32)
        ggml.backend_tensor_get(results[0], y.ctypes.data, 0, y.nbytes)
        exact = weights.astype(np.float64) @ x
        self.error = float(np.linalg.norm(y - exact) / np.linalg.norm(exact))

    def run(self) -> float:
        """Seconds of one product, over all copies."""
        start = time.perf_counter()
        for graph in self.graphs:
            self.ggml.backend_graph_compute(self.backend, graph)
        return (time.perf_counter() - start) / len(self.graphs)

    def least(self, seconds: float) -> float:
        end, least = time.perf_counter() + seconds, float("inf")
        while time.perf_counter() < end:
            least = min(least, self.run())
        return least


def our_report(sd_bench: str, shape: str, threads: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        subprocess.run([sd_bench, "--filter", f"matvec {shape}", "--threads", str(threads), "--json", str(path)], check=True, stdout=subprocess.DEVNULL)
        return json.loads(path.read_text())


def ggml_folder() -> Path:
    try:
        import llama_cpp
    except ImportError as error:
        raise SystemExit("ggml comes with llama-cpp-python: pip install llama-cpp-python, or give --ggml FOLDER") from error
    return Path(llama_cpp.__file__).parent / "lib"


def compare(arguments: argparse.Namespace, threads: int) -> list[dict]:
    product = Product(Ggml(arguments.ggml or ggml_folder()), arguments.outputs, arguments.inputs, threads)
    shape = f"{arguments.outputs}x{arguments.inputs}"
    best: dict[str, dict] = {}
    ratios: dict[str, list[float]] = {}
    theirs = [product.least(arguments.seconds)]
    for _ in range(arguments.rounds):
        report = our_report(arguments.sd_bench, shape, threads)
        theirs.append(product.least(arguments.seconds))
        beside = product.weight_count / min(theirs[-2:]) / 1e9
        counts = {count["name"]: count["value"] for count in report["counts"]}
        for row in report["results"]:
            name, _, where = row["name"].partition(", weights from memory, ")
            if not where.startswith(f"{threads} thread"):
                continue
            found = {"bits": counts[f"thousandths of a bit a weight, {name}"] / 1000, "error": counts[f"error of W x in thousandths, {name}"] / 1000}
            entries = [(name, row["value"], found)]
            # The ratio of a row is that of times, which both do the same work in.
            if row["reference"].startswith("memory read"):
                found["of_memory"] = 1 / row["ratio"]
            else:
                entries.append((row["reference"], row["value"] * row["ratio"], {}))
            for title, rate, more in entries:
                entry = best.setdefault(title, {"name": title, "rate": 0.0})
                entry.update({**more, "rate": max(entry["rate"], rate)})
                ratios.setdefault(title, []).append(rate / beside)
    rows = [{"name": f"ggml q4_K ({product.name})", "rate": product.weight_count / min(theirs) / 1e9, "ratio": 1.0, "bits": product.bits, "error": product.error}]
    rows += [{**entry, "ratio": statistics.median(ratios[title])} for title, entry in best.items()]
    return [{"shape": shape, "threads": threads, "rounds": arguments.rounds, **row} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sd_bench")
    parser.add_argument("--outputs", type=int, default=4096)
    parser.add_argument("--inputs", type=int, default=4096)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=2, help="of each timing of ggml")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ggml", type=Path)
    arguments = parser.parse_args()
    rows = []
    for threads in arguments.threads:
        print(f"{arguments.outputs} x {arguments.inputs}, weights from memory, {threads} thread{'s' if threads > 1 else ''}")
        for row in compare(arguments, threads):
            rows.append(row)
            notes = f", {row['bits']:.2f} bits, error {row['error']:.3f}" if "bits" in row else ""
            notes += f", {row['of_memory']:.0%} of reading its bytes" if "of_memory" in row else ""
            print(f"{row['rate']:7.1f} G weights/s  {row['ratio']:.2f}x  {row['name']}{notes}", flush=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
