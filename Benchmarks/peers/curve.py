"""The error-against-size curve: SmartDeal's modes and round-to-nearest on the same weights.

    python curve.py SMARTDEAL [WEIGHTS.safetensors] [--json FILE] [--svg FILE]

Without a file: seeded Gaussian weights, a 2048 x 768 matrix. Bits a weight are those of the compressed weights in
the file, header included; the error is ||W - rebuilt|| / ||W|| over all of them.
"""
from __future__ import annotations

import argparse
import json
import math
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np



def write_gaussian(path: Path) -> None:
    weights = np.random.default_rng(1).standard_normal((2048, 768)).astype("<f4")
    header = json.dumps({"gaussian.weight": {"dtype": "F32", "shape": [2048, 768], "data_offsets": [0, weights.nbytes]}}).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + weights.tobytes())


def compress(tool: str, model: Path, out: Path, *options: str) -> tuple[float, float]:
    text = subprocess.run([tool, "compress", str(model), "-o", str(out), "--json", "--quiet", *options],
                          check=True, capture_output=True, text=True).stdout
    report = json.loads(text)
    return report["bits_per_weight"], report["relative_error"]


def round_to_nearest(model: Path) -> list[tuple[str, float, float]]:
    script = Path(__file__).with_name("round_to_nearest.py")
    rows = json.loads(subprocess.run([sys.executable, str(script), str(model), "--json"], check=True,
                                     capture_output=True, text=True).stdout)
    rows = rows["rows"] if isinstance(rows, dict) else rows
    return [(f"round to nearest int{r['bits']}", r["bits_per_weight"], r["relative_error"]) for r in rows if r["name"] == "all"]


def svg(points: dict[str, list[tuple[float, float]]]) -> str:
    """A chart: bits a weight to the right, error upward on a log axis."""
    width, height, left, top, right, bottom = 720, 420, 64, 20, 180, 48
    def x(bits: float) -> float: return left + (bits - 1) / 8 * (width - left - right)
    def y(error: float) -> float:
        return top + (math.log10(0.6) - math.log10(error)) / (math.log10(0.6) - math.log10(0.004)) * (height - top - bottom)
    colours = ["#0b6e4f", "#b5442e", "#3b5b92", "#8a6d1d", "#6b4c8a"]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for bits in range(1, 10):
        out.append(f'<path d="M{x(bits):.1f} {top}V{height - bottom}" stroke="#ddd"/><text x="{x(bits):.1f}" y="{height - bottom + 16}" text-anchor="middle">{bits}</text>')
    for error in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
        out.append(f'<path d="M{left} {y(error):.1f}H{width - right}" stroke="#ddd"/><text x="{left - 6}" y="{y(error) + 4:.1f}" text-anchor="end">{error}</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle">bits a weight in the file</text>')
    out.append(f'<text transform="translate(16 {height / 2}) rotate(-90)" text-anchor="middle">relative error</text>')
    for index, (name, line) in enumerate(points.items()):
        colour, line = colours[index % len(colours)], sorted(line)
        if len(line) > 1:
            out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="' + " ".join(f"{x(b):.1f},{y(e):.1f}" for b, e in line) + '"/>')
        out += [f'<circle cx="{x(b):.1f}" cy="{y(e):.1f}" r="3.5" fill="{colour}"><title>{name}: {b:.2f} bits, {e:.4f}</title></circle>' for b, e in line]
        out.append(f'<circle cx="{width - right + 16}" cy="{top + 14 + 20 * index}" r="3.5" fill="{colour}"/><text x="{width - right + 26}" y="{top + 18 + 20 * index}">{name}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("smartdeal")
    parser.add_argument("weights", nargs="?", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--svg", type=Path)
    arguments = parser.parse_args()
    rows: list[tuple[str, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.weights or Path(folder) / "gaussian.safetensors"
        if arguments.weights is None:
            write_gaussian(model)
        out = Path(folder) / "out.safetensors"
        for bits in (1.7, 2.05, 2.45, 2.7, 3.05, 3.3, 3.6, 4.05, 4.25, 4.5, 5, 6.05, 8.05):
            try:
                rows.append(("best", *compress(arguments.smartdeal, model, out, "--bits", str(bits))))
            except subprocess.CalledProcessError as error:
                print(f"best at {bits} bits: {error.stderr.strip()}", file=sys.stderr)
        rows.append(("best, default", *compress(arguments.smartdeal, model, out)))
        rows.append(("fast", *compress(arguments.smartdeal, model, out, "--mode", "fast")))
        rows.append(("reference", *compress(arguments.smartdeal, model, out, "--mode", "reference")))
        rows += round_to_nearest(model)
    print(f"{'':24} bits a weight  error")
    for name, bits, error in rows:
        print(f"{name:24} {bits:13.2f}  {error:.4f}")
    if arguments.json:
        arguments.json.write_text(json.dumps([dict(name=n, bits_per_weight=round(b, 4), relative_error=round(e, 5)) for n, b, e in rows], indent=1) + "\n")
    if arguments.svg:
        lines: dict[str, list[tuple[float, float]]] = {}
        for name, bits, error in rows:
            lines.setdefault("round to nearest" if name.startswith("round") else name, []).append((bits, error))
        arguments.svg.write_text(svg(lines))


if __name__ == "__main__":
    main()
