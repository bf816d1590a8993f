"""Writes NPY files of every type with NumPy and PNG files of every kind with Pillow: make.py"""

from pathlib import Path

import numpy as np
from PIL import Image

here = Path(__file__).parent

# NPY: element k of the 2 x 3 arrays is 5 k - 7, made to fit the type; floats are halves of that.
numbers = 5 * np.arange(6).reshape(2, 3) - 7
for name in ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8"]:
    file = name.replace("<", "little-").replace(">", "big-")
    np.save(here / f"{file}.npy", (numbers / 2).astype(name))
for name in ["<i1", "<i2", "<i4", "<i8", ">i2", ">i4", ">i8", "<u1", "<u2", "<u4", ">u2", ">u4"]:
    file = name.replace("<", "little-").replace(">", "big-")
    np.save(here / f"{file}.npy", numbers.astype(np.int64).astype(name))
np.save(here / "bool.npy", numbers > 0)
np.save(here / "fortran.npy", np.asfortranarray(np.arange(24, dtype="<i4").reshape(2, 3, 4)))
np.save(here / "scalar.npy", np.float32(1.5))
np.save(here / "empty.npy", np.zeros((0, 3), dtype="<f4"))
np.save(here / "vector.npy", np.arange(3, dtype="<f4"))
np.save(here / "complex.npy", np.zeros(2, dtype="<c8"))
np.save(here / "record.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
for version in [(2, 0), (3, 0)]:
    with open(here / f"version{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, np.arange(3, dtype="<f4"), version=version)

# PNG: 5 x 7 pixels; NAME.npy beside NAME.png is what reading must give, [channels, height, width].
random = np.random.default_rng(1)
gray = random.integers(0, 256, (5, 7), dtype=np.uint8)
color = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
alpha = random.integers(0, 256, (5, 7), dtype=np.uint8)


def save(name, image, expected):
    image.save(here / f"{name}.png")
    np.save(here / f"{name}.npy", expected)


planes = np.ascontiguousarray(color.transpose(2, 0, 1))
save("png-gray", Image.fromarray(gray), gray[None])
save("png-rgb", Image.fromarray(color), planes)
save("png-rgba", Image.fromarray(np.dstack([color, alpha])), planes)
save("png-gray-alpha", Image.fromarray(np.dstack([gray, alpha])), gray[None])
save("png-bit", Image.fromarray(gray > 127), np.where(gray > 127, 255, 0).astype(np.uint8)[None])
few = color // 128 * 255
palette = Image.fromarray(few).quantize(8)
save("png-palette", palette, np.array(palette.convert("RGB")).transpose(2, 0, 1).copy())
# 16 bits: 257 times a byte is that byte exactly.
save("png-16", Image.fromarray(gray.astype(np.uint16) * 257), gray[None])
# What Pillow makes of color in gray.
np.save(here / "png-rgb-as-gray.npy", np.array(Image.fromarray(color).convert("L"))[None])
