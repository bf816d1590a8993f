"""Networks written in plain torch, small enough to read, that the interop checks export to ONNX."""
from __future__ import annotations

import torch
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions around a shortcut, as in ResNet-18."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.shortcut(x))


class BottleneckBlock(nn.Module):
    """1 x 1, 3 x 3, 1 x 1 around a shortcut, as in ResNet-50."""

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        outputs = 4 * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + self.shortcut(x))


def small_resnet(classes: int = 10) -> nn.Module:
    """A ResNet of both kinds of block for images of any size; x [batch, 3, height, width]."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        BasicBlock(16, 16, 1), BasicBlock(16, 32, 2), BottleneckBlock(32, 16, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes),
    )


class ResNet20(nn.Module):
    """The built-in network `resnet20` with its names of parameters; x [batch, channels, height, width]."""

    def __init__(self, channels: int = 1, classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layers = nn.Sequential(*(
            BasicBlock(width // stride, width, stride)
            for width in (16, 32, 64) for stride in (1 if width == 16 else 2, 1, 1)))
        self.linear = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(torch.relu(self.bn1(self.conv1(x))))
        return self.linear(x.mean((2, 3)))


class SeparableBlock(nn.Module):
    """Expand, depthwise, squeeze-and-excite, project: the block of MobileNet and EfficientNet."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, activation: nn.Module):
        super().__init__()
        wide = 4 * inputs
        self.expand = nn.Sequential(nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide))
        depthwise = nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False)
        self.depthwise = nn.Sequential(depthwise, nn.BatchNorm2d(wide))
        self.squeeze = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, inputs, 1), nn.ReLU(),
            nn.Conv2d(inputs, wide, 1), nn.Hardsigmoid(),
        )
        self.project = nn.Sequential(nn.Conv2d(wide, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.activation = activation
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.activation(self.depthwise(self.activation(self.expand(x))))
        y = self.project(y * self.squeeze(y))
        return x + y if self.adds else y


def small_separable(classes: int = 10) -> nn.Module:
    """A depthwise-separable network with Hardswish, SiLU and ReLU6; x [batch, 3, height, width]."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish(),
        SeparableBlock(16, 16, 3, 1, nn.ReLU6()), SeparableBlock(16, 24, 5, 2, nn.SiLU()),
        SeparableBlock(24, 24, 3, 1, nn.Hardswish()),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(24, classes),
    )


def small_transformer() -> nn.Module:
    """Two encoder layers of torch's own; x [batch, sequence, 32]."""
    layer = nn.TransformerEncoderLayer(32, 4, 64, activation="gelu", batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


class BertEmbeddings(nn.Module):
    """Words, positions and token types, added and normalised; names as in published checkpoints."""

    def __init__(self, words: int, positions: int, types: int, size: int):
        super().__init__()
        self.word_embeddings = nn.Embedding(words, size)
        self.position_embeddings = nn.Embedding(positions, size)
        self.token_type_embeddings = nn.Embedding(types, size)
        self.LayerNorm = nn.LayerNorm(size, eps=1e-12)
        self.register_buffer("position_ids", torch.arange(positions)[None])

    def forward(self, input_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        positions = self.position_embeddings(self.position_ids[:, : input_ids.shape[1]])
        words = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        return self.LayerNorm(words + positions)


class BertSelfAttention(nn.Module):
    """softmax(Q K' / sqrt(head) + bias) V, head by head."""

    def __init__(self, size: int, heads: int):
        super().__init__()
        self.heads, self.head_size = heads, size // heads
        self.query, self.key, self.value = (nn.Linear(size, size) for _ in range(3))

    def split(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], self.heads, self.head_size).transpose(1, 2)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        Q, K, V = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = Q @ K.transpose(-1, -2) / self.head_size**0.5 + bias
        y = (torch.softmax(scores, dim=-1) @ V).transpose(1, 2)
        return y.reshape(x.shape[0], x.shape[1], self.heads * self.head_size)


class BertOutput(nn.Module):
    """A linear layer, the residual, and the norm behind both."""

    def __init__(self, inputs: int, size: int):
        super().__init__()
        self.dense = nn.Linear(inputs, size)
        self.LayerNorm = nn.LayerNorm(size, eps=1e-12)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(x) + residual)


class BertLayer(nn.Module):
    """Attention and a GELU network of two layers, each with its residual and norm."""

    def __init__(self, size: int, heads: int, wide: int):
        super().__init__()
        self.attention = nn.ModuleDict(
            {"self": BertSelfAttention(size, heads), "output": BertOutput(size, size)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(size, wide)})
        self.output = BertOutput(wide, size)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = self.attention["output"](self.attention["self"](x, bias), x)
        return self.output(nn.functional.gelu(self.intermediate["dense"](x)), x)


class Bert(nn.Module):
    """A BERT encoder: input_ids, attention_mask, token_type_ids [batch, sequence] (integers)
    -> last_hidden_state [batch, sequence, size]."""

    def __init__(self, words: int, positions: int, size: int, heads: int, wide: int, layers: int):
        super().__init__()
        self.embeddings = BertEmbeddings(words, positions, 2, size)
        stack = nn.ModuleList([BertLayer(size, heads, wide) for _ in range(layers)])
        self.encoder = nn.ModuleDict({"layer": stack})

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        x = self.embeddings(input_ids, token_type_ids)
        bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for layer in self.encoder["layer"]:
            x = layer(x, bias)
        return x


def small_bert() -> nn.Module:
    """The shape of MiniLM, smaller."""
    return Bert(words=100, positions=64, size=48, heads=4, wide=96, layers=2)


def randomised(network: nn.Module, seed: int) -> nn.Module:
    """The network for inference, its batch norms with statistics as if it had been trained."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in [(module.running_mean, -0.5, 0.5), (module.running_var, 0.5, 2),
                                      (module.weight.data, 0.5, 1.5), (module.bias.data, -0.5, 0.5)]:
                values.uniform_(low, high, generator=generator)
    return network.eval()


def export(network: nn.Module, inputs: dict[str, Tensor], outputs: list[str], path: str,
           axes: dict[str, dict[int, str]], opset: int, dynamo: bool) -> None:
    """One ONNX file of the network; `axes` names the dynamic dimensions of every input."""
    shared = dict(input_names=list(inputs), output_names=outputs, opset_version=opset)
    if dynamo:
        named = {name: torch.export.Dim(name) for name in
                 sorted({name for dimensions in axes.values() for name in dimensions.values()})}
        shapes = tuple({axis: named[name] for axis, name in axes.get(key, {}).items()}
                       for key in inputs)
        torch.onnx.export(network, tuple(inputs.values()), path, dynamo=True, verbose=False,
                          external_data=False, dynamic_shapes=shapes, **shared)
    else:
        batch = {name: {0: "batch"} for name in outputs} if axes else {}
        torch.onnx.export(network, tuple(inputs.values()), path, dynamo=False,
                          dynamic_axes={**axes, **batch}, **shared)
