"""Training in SmartDeal form written in PyTorch, as fast as its tensor operations allow.

Weights of convolutions and linear layers live as coefficients C, zero or powers of two, a mask of the rows of
C that are kept, and a basis B of 3 x 3 a slice; every output filter is one slice. All C of the network are one
flat tensor, as are all B, so that one operation moves them all; W = C B is one batched product a layer.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

S = 3  # columns of a slice, rows and columns of B
GROUP = 32  # filters that share a mask
LONGEST = 64 * S  # rows of a slice
THRESHOLD = 4e-3  # magnitudes below it are zero
MIN_C = 2.0 ** math.ceil(math.log2(THRESHOLD))
MAX_C = 32.0


def nearest_power(values: Tensor) -> Tensor:
    """Each to the nearest power of two, a tie to the upper one; zero below the threshold."""
    mantissa, exponent = torch.frexp(values.abs())
    power = torch.ldexp(torch.ones_like(values), exponent - (mantissa < 0.75).int())
    return torch.where(values.abs() < THRESHOLD, 0, values.sign() * power.clamp(MIN_C, MAX_C))


@dataclass
class Layer:
    """A weight as slices `[filters, rows, S]`."""

    name: str
    shape: torch.Size
    rows: int

    def __init__(self, name: str, weight: Tensor):
        self.name, self.shape = name, weight.shape
        self.rows = -(-weight[0].numel() // S)
        if self.rows > LONGEST or (weight.dim() == 4 and weight.shape[3] not in (1, S)):
            raise ValueError(f"{name}: a filter of {tuple(weight.shape[1:])} is not one slice of width {S}")

    def slices(self, weight: Tensor) -> Tensor:
        flat = weight.reshape(self.shape[0], -1)
        padded = nn.functional.pad(flat, (0, self.rows * S - flat.shape[1]))
        return padded.view(self.shape[0], self.rows, S)

    def weight(self, coefficients: Tensor, bases: Tensor) -> Tensor:
        slices = torch.bmm(coefficients.view(-1, self.rows, S), bases.view(-1, S, S))
        weight = slices.view(self.shape[0], -1)[:, :self.shape[1:].numel()].view(self.shape)
        return weight.to(memory_format=torch.channels_last) if weight.dim() == 4 else weight

    def mask(self, weight: Tensor, fraction: float) -> Tensor:
        """Ones and zeros `[filters, rows, S]`: without the weakest rows of each group of filters."""
        slices = self.slices(weight)
        mask = torch.ones_like(slices)
        if len(self.shape) == 4:
            for start in range(0, self.shape[0], GROUP):
                sums = slices[start:start + GROUP].abs().sum((0, 2))
                mask[start:start + GROUP, sums.argsort()[:math.ceil(fraction * self.rows)]] = 0
        return mask


class SmartDealForm:
    """The weights of `network` in SmartDeal form; its other parameters stay dense.

    Coefficients are masked and rounded when they are made and when they switch, so that a forward pass finds
    them so; a gradient passes the rounding unchanged: dC = dW B^T, dB = C^T dW.
    """

    def __init__(self, network: nn.Module, prune: float):
        modules = dict(network.named_modules())
        weights = {f"{name}.weight": module.weight.detach() for name, module in modules.items()
                   if isinstance(module, (nn.Conv2d, nn.Linear))}
        self.layers = [Layer(name, weight) for name, weight in weights.items()]
        masks, coefficients, bases = [], [], []
        for layer in self.layers:
            slices, mask = layer.slices(weights[layer.name]), layer.mask(weights[layer.name], prune)
            scale = slices.abs().amax((1, 2), keepdim=True)
            masks.append(mask.flatten())
            coefficients.append((nearest_power(slices / scale) * mask).flatten())
            bases.append((torch.eye(S) * scale).flatten())
        self.coefficient_sizes, self.basis_sizes = ([len(t) for t in list] for list in (coefficients, bases))
        self.mask = torch.cat(masks)
        self.coefficients = torch.cat(coefficients).requires_grad_()
        self.bases = torch.cat(bases).requires_grad_()
        self.momentum = torch.zeros_like(self.mask)
        self.counters = torch.zeros_like(self.mask, dtype=torch.int8)

    def weights(self) -> dict[str, Tensor]:
        """The dense weights by name."""
        parts = zip(self.layers, self.coefficients.split(self.coefficient_sizes),
                    self.bases.split(self.basis_sizes))
        return {layer.name: layer.weight(c, b) for layer, c, b in parts}

    @torch.no_grad()
    def switch(self, gradient: Tensor, rate: float, momentum: float, decay: float, smallest: float,
               bar: int) -> None:
        """Bucket switching: counts the signs of updates above `smallest`; `bar` of them move an exponent by one."""
        c = self.coefficients
        self.momentum.mul_(momentum).add_(gradient).add_(c, alpha=decay)
        large = self.momentum.abs() > smallest / rate
        self.counters.sub_((self.momentum.sign() * large).to(torch.int8))
        due = self.counters.abs() >= bar
        direction = self.counters.sign() * due
        moved = torch.where(c == 0, direction * MIN_C, c * torch.where(direction * c > 0, 2.0, 0.5))
        moved = torch.where(moved.abs() < THRESHOLD, 0, moved).clamp_(-MAX_C, MAX_C)
        c.copy_(torch.where(due, moved, c).mul_(self.mask))
        self.counters.mul_(~due)
