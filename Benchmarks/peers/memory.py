"""Peak memory of compressing a large synthetic checkpoint: python memory.py SMARTDEAL [GIGABYTES] [--mode MODE]

Writes F32 Gaussian tensors of 4096 x 4096 (67 MB each) in a temporary folder, compresses them and prints the largest
resident size, which must stay below 300 MB + twice the largest tensor.
"""
from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def main() -> int:
    tool, gigabytes = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 4.0
    mode = sys.argv[sys.argv.index("--mode") + 1] if "--mode" in sys.argv else "fast"
    size = 4096 * 4096 * 4
    count = max(1, round(gigabytes * 1e9 / size))
    entries = {f"layers.{i}.weight": {"dtype": "F32", "shape": [4096, 4096], "data_offsets": [i * size, (i + 1) * size]} for i in range(count)}
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.safetensors"
        random = np.random.default_rng(0)
        with model.open("wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            for _ in range(count):
                file.write((random.standard_normal(4096 * 4096, dtype=np.float32) * 0.02).tobytes())
        started = time.time()
        subprocess.run([tool, "compress", str(model), "-o", str(Path(folder) / "out.safetensors"), "--mode", mode, "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        seconds = time.time() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    limit = 300e6 + 2 * size
    print(f"{count * size / 1e9:.2f} GB in {seconds:.1f} s, peak {peak / 1e6:.0f} MB, limit {limit / 1e6:.0f} MB")
    return 0 if peak <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
