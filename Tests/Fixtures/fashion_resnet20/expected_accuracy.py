"""Accuracy and mean cross-entropy of fashion_resnet20.onnx on the images of fashion_mnist_2000, as ONNX Runtime computes them; writes
expected_accuracy.json, for all 2,000 images and for the first 300.

pip install numpy onnxruntime; python expected_accuracy.py
"""

import gzip
import json
import pathlib

import numpy as np
import onnxruntime

FOLDER = pathlib.Path(__file__).parent
IMAGES = FOLDER.parent / "fashion_mnist_2000"


def idx(name):
    data = gzip.decompress((IMAGES / name).read_bytes())
    rank = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


pixels, labels = idx("t10k-images-idx3-ubyte.gz"), idx("t10k-labels-idx1-ubyte.gz")
images = ((pixels[:, None].astype(np.float32) / np.float32(255)) - np.float32(0.2860)) / np.float32(0.3530)
session = onnxruntime.InferenceSession(FOLDER / "fashion_resnet20.onnx", providers=["CPUExecutionProvider"])
scores = session.run(None, {"image": images})[0].astype(np.float64)
shifted = scores - scores.max(axis=1, keepdims=True)
losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]
right = scores.argmax(axis=1) == labels

best = np.sort(scores, axis=1)
print(f"ONNX Runtime {onnxruntime.__version__}; smallest lead of a best score: {(best[:, -1] - best[:, -2]).min():.2e}")
expected = [{"images": n, "correct": int(right[:n].sum()), "loss": float(losses[:n].mean())} for n in (2000, 300)]
(FOLDER / "expected_accuracy.json").write_text(json.dumps(expected, indent=1) + "\n")
