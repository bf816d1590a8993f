"""Writes the first images of the Fashion-MNIST test set: make.py [FOLDER OF THE WHOLE SET] [COUNT]"""

import gzip
import struct
import sys
from pathlib import Path

source = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
target = Path(__file__).parent

for name, rank in [("t10k-images-idx3-ubyte.gz", 3), ("t10k-labels-idx1-ubyte.gz", 1)]:
    whole = gzip.decompress((source / name).read_bytes())
    header = 4 + 4 * rank
    size = (len(whole) - header) // struct.unpack(">I", whole[4:8])[0]
    part = whole[:4] + struct.pack(">I", count) + whole[8 : header + count * size]
    # No name and no time, so that the same images give the same file.
    (target / name).write_bytes(gzip.compress(part, compresslevel=9, mtime=0))
