"""Runs smartdeal on a corpus of ONNX models and compares every output with ONNX Runtime's.

    python runs_like_onnxruntime.py SMARTDEAL [--every-opset] [--only TEXT]

F32 outputs must agree within max|a - b| / max|b| <= 1e-4, integers exactly. Exit status 0 or 1.
"""
from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from agreement import check
from models import write_corpus


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("smartdeal")
    parser.add_argument("--every-opset", action="store_true")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name contains it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cases = write_corpus(Path(folder), options.every_opset)
        return check([case for case in cases if options.only in case.name], options.smartdeal)


if __name__ == "__main__":
    sys.exit(main())
