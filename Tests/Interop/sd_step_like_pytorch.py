"""Steps of layers in SmartDeal form as PyTorch makes them: sd_step_like_pytorch.py [--check] [FILE]

Writes Tests/Fixtures/training/sd_step.safetensors, which the Swift tests are held to; with --check
computes everything anew and compares. The layers learn by autograd, in double precision: coefficients
are parameters that a straight-through estimator rounds to the values of their alphabet, bases are
parameters of torch.optim.SGD, and the rounded coefficients then move by the rules of the paper.
"""

import argparse
import json
import math
import pathlib

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

FILE = pathlib.Path(__file__).parent.parent / "Fixtures/training/sd_step.safetensors"
STEPS = 3


def alphabet(name):
    """The symbols, each a list of coefficients, in the order of their codes."""
    if name == "single":
        powers = [2.0**-p for p in range(7)]
        return [[v] for v in [0.0, *powers, *[-p for p in powers]]]
    first, second = {
        "4x4": ([1, -1, 0.25, -0.25], [1, -1, 0.25, -0.25]),
        "5x3": ([0, 1, -1, 0.5, -0.5], [0, 1, -1]),
    }[name]
    return [[float(a), float(b)] for a in first for b in second]


LAYERS = [
    dict(name="conv3x3", shape=[40, 4, 3, 3], unit=3, width=3, nibbles=3, rowsPerSlice=5,
         filtersPerBasis=2, alphabet="single", integers=True, masked=True, transposed=False,
         coefficients="bucketSwitch", switchBar=1, dCThreshold=0.05, nesterov=False,
         rate=0.05),
    dict(name="conv1x1", shape=[6, 20, 1, 1], unit=1, width=4, nibbles=3, rowsPerSlice=2,
         filtersPerBasis=1, alphabet="5x3", integers=False, masked=False, transposed=False,
         coefficients="bucketSwitch", switchBar=2, dCThreshold=0.02, nesterov=True,
         rate=0.02),
    dict(name="linear", shape=[10, 13], unit=1, width=3, nibbles=2, rowsPerSlice=5,
         filtersPerBasis=4, alphabet="4x4", integers=True, masked=False, transposed=True,
         coefficients="bucketSwitch", switchBar=1, dCThreshold=0.01, nesterov=False,
         rate=0.02),
    dict(name="rounded", shape=[6, 12], unit=1, width=1, nibbles=1, rowsPerSlice=12,
         filtersPerBasis=1, alphabet="single", integers=False, masked=True, transposed=False,
         coefficients="requantise", switchBar=1, dCThreshold=0.0, nesterov=False,
         rate=0.05),
]


class ToLadder(torch.autograd.Function):
    """Rounds to the nearest rung, a tie to the larger magnitude; gradients pass."""

    @staticmethod
    def forward(ctx, value, ladder):
        distance = (value[..., None] - ladder).abs()
        nearest = distance <= distance.min(-1, keepdim=True).values
        return ladder[torch.where(nearest, ladder.abs(), -1.0).argmax(-1)]

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def exponent(scales):
    """The exponent of two nearest to the root mean square."""
    used = [s for s in scales if s != 0]
    return round(math.log2(math.sqrt(sum(s * s for s in used) / len(used)))) if used else 0


class Layer:
    def __init__(self, options, random):
        self.o = o = options
        self.symbols = alphabet(o["alphabet"])
        self.width_of_symbol = len(self.symbols[0])
        self.rank = o["nibbles"] * self.width_of_symbol
        filters, length = o["shape"][0], math.prod(o["shape"][1:])
        positions = length // o["unit"]
        groups = (filters + 31) // 32
        self.group_mask = (random.random((groups, positions)) < 0.6 if o["masked"]
                           else np.ones((groups, positions), bool))
        rows_of_filter = -(-length // o["width"])
        slices = -(-rows_of_filter // o["rowsPerSlice"])
        bases = -(-filters // o["filtersPerBasis"]) * slices
        self.scales = random.uniform(0.5, 1.5, (filters, slices)).astype(np.float16)
        # int8 bases go with small scales.
        self.scale_exponent = -8 if o["integers"] else 0
        shape = (bases, self.rank, o["width"])
        self.stored_basis = (random.integers(-127, 128, shape).astype(np.int8) if o["integers"]
                             else random.normal(0, 0.5, shape).astype(np.float32))
        scales = self.scales.astype(np.float64) * 2.0**self.scale_exponent
        self.exponents = [
            exponent([scales[f, b % slices]
                      for f in range(filters) if f // o["filtersPerBasis"] == b // slices])
            for b in range(bases)]

        # Rows of the weights that the mask keeps, moved together: of which basis, times what, where.
        basis_of, scale_of, places = [], [], []
        for f in range(filters):
            kept = np.flatnonzero(np.repeat(self.group_mask[f // 32], o["unit"]))
            for row, first in enumerate(range(0, len(kept), o["width"])):
                own = list(kept[first:first + o["width"]])
                s = row // o["rowsPerSlice"]
                basis_of.append(f // o["filtersPerBasis"] * slices + s)
                scale_of.append(scales[f, s])
                places.append([f * length + p for p in own] + [-1] * (o["width"] - len(own)))
        self.basis_of = torch.tensor(basis_of)
        powers = torch.tensor([2.0**e for e in self.exponents], dtype=torch.float64)
        self.scale_of = torch.tensor(scale_of, dtype=torch.float64) / powers[self.basis_of]
        self.places = torch.tensor(places)
        self.codes = random.integers(0, len(self.symbols), (len(places), o["nibbles"]))
        self.codes = self.codes.astype(np.uint8)
        self.first_codes = self.codes.copy()

        # Basis and scales trade a power of two, so that bases are as large as the weights.
        start = torch.tensor(self.stored_basis.astype(np.float64))
        self.basis = torch.nn.Parameter(start * powers[:, None, None])
        self.coefficients = torch.nn.Parameter(self.decoded())
        self.ladders = [torch.tensor(sorted({s[k] for s in self.symbols}), dtype=torch.float64)
                        for k in range(self.width_of_symbol)]
        self.optimizer = torch.optim.SGD([self.basis], lr=o["rate"], momentum=0.9,
                                         weight_decay=5e-4)
        self.momentum = torch.zeros_like(self.coefficients)
        self.counters = torch.zeros_like(self.coefficients)

    def decoded(self):
        values = np.array(self.symbols)[self.codes]
        return torch.tensor(values.reshape(len(self.codes), self.rank))

    def weight(self):
        c = self.width_of_symbol
        columns = [ToLadder.apply(self.coefficients[:, i], self.ladders[i % c])
                   for i in range(self.rank)]
        rows = torch.einsum("ri,rit->rt", torch.stack(columns, 1), self.basis[self.basis_of])
        rows = self.scale_of[:, None] * rows
        flat = torch.zeros(math.prod(self.o["shape"]), dtype=torch.float64)
        there = self.places >= 0
        return flat.index_put((self.places[there],), rows[there]).reshape(self.o["shape"])

    def step(self, x, target):
        """One step against half the squared distance to `target`."""
        weight = self.weight()
        weight.retain_grad()
        if len(self.o["shape"]) == 4:
            out = torch.nn.functional.conv2d(x, weight, padding=self.o["shape"][2] // 2)
        else:
            out = x @ weight.T
        self.optimizer.zero_grad()
        self.coefficients.grad = None
        (0.5 * (out - target).square().sum()).backward()
        with torch.no_grad():
            self.move()
        self.optimizer.step()
        return weight.grad

    def move(self):
        o = self.o
        g = self.coefficients.grad + 5e-4 * self.coefficients
        self.momentum.mul_(0.9).add_(g)
        d = -o["rate"] * (g + 0.9 * self.momentum if o["nesterov"] else self.momentum)
        known = {tuple(s): code for code, s in reversed(list(enumerate(self.symbols)))}
        c = self.width_of_symbol
        if o["coefficients"] == "bucketSwitch":
            # No update so near to the threshold that rounding could decide.
            assert (d.abs() - o["dCThreshold"]).abs().min() > 1e-4 * o["dCThreshold"]
            self.counters += torch.where(d.abs() > o["dCThreshold"], d.sign(), 0)
        for row in range(len(self.codes)):
            for j in range(o["nibbles"]):
                for k in range(c):
                    i = j * c + k
                    pattern = list(self.symbols[self.codes[row, j]])
                    ladder = self.ladders[k].tolist()
                    if o["coefficients"] == "requantise":
                        value = (self.coefficients[row, i] + d[row, i]).item()
                        middles = [(a + b) / 2 for a, b in zip(ladder, ladder[1:])]
                        assert min(abs(value - m) for m in middles) > 1e-6
                        nearest = ToLadder.apply(torch.tensor([value], dtype=torch.float64),
                                                 self.ladders[k])
                        pattern[k] = nearest.item()
                    elif abs(self.counters[row, i]) == o["switchBar"]:
                        at = ladder.index(pattern[k]) + int(self.counters[row, i].sign())
                        pattern[k] = ladder[min(max(at, 0), len(ladder) - 1)]
                        self.counters[row, i] = 0
                    self.codes[row, j] = known.get(tuple(pattern), self.codes[row, j])
        self.coefficients.copy_(self.decoded())

    def dense(self):
        weight = self.weight().detach()
        return weight.T if self.o["transposed"] else weight


def computed():
    tensors, described = {}, []
    random = np.random.default_rng(2024)
    for options in LAYERS:
        layer = Layer(options, random)
        name = options["name"]

        def put(part, values, kind=np.float32):
            tensors[f"{name}.{part}"] = np.array(np.asarray(values), dtype=kind, order="C")

        put("symbols", layer.first_codes, np.uint8)
        put("group_mask", layer.group_mask, np.uint8)
        put("basis", layer.stored_basis, layer.stored_basis.dtype)
        put("scales", layer.scales.view(np.uint16), np.uint16)
        put("value", layer.dense())
        for step in range(STEPS):
            shape = options["shape"]
            size = [2, shape[1], 5, 4] if len(shape) == 4 else [3, shape[1]]
            x = random.normal(0, 1, size).astype(np.float32)
            size[1] = shape[0]
            target = random.normal(0, 1, size).astype(np.float32)
            gradient = layer.step(torch.tensor(x.astype(np.float64)),
                                  torch.tensor(target.astype(np.float64)))
            put(f"x{step}", x)
            put(f"target{step}", target)
            put(f"gradient{step}", gradient.T if options["transposed"] else gradient)
            put(f"basis{step}", layer.basis.detach())
            put(f"basis_momentum{step}", layer.optimizer.state[layer.basis]["momentum_buffer"])
            put(f"coefficient_momentum{step}", layer.momentum)
            put(f"counters{step}", layer.counters, np.int8)
            put(f"symbols{step}", layer.codes, np.uint8)
            put(f"value{step}", layer.dense())
        described.append({**options, "scaleExponent": layer.scale_exponent})
        moved = [np.mean(tensors[f"{name}.symbols{s}"] != layer.first_codes) for s in range(STEPS)]
        print(name, "symbols moved:", *[f"{100 * m:.0f} %" for m in moved])
    return tensors, {"layers": json.dumps(described), "steps": str(STEPS)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("file", nargs="?", default=FILE)
    arguments = parser.parse_args()
    tensors, metadata = computed()
    if not arguments.check:
        save_file(tensors, arguments.file, metadata)
        return
    with safe_open(arguments.file, "np") as file:
        assert file.metadata() == metadata, "other layers"
        assert set(file.keys()) == set(tensors), "other tensors"
        for name, expected in tensors.items():
            found = file.get_tensor(name)
            assert found.dtype == expected.dtype and found.shape == expected.shape, name
            if found.dtype == np.float32:
                bound = 1e-6 * np.abs(expected).max()
                assert np.abs(found - expected).max() <= bound, name
            else:
                assert np.array_equal(found, expected), name
    print(f"{len(tensors)} tensors of {STEPS} steps are what PyTorch {torch.__version__} gives")


if __name__ == "__main__":
    main()
