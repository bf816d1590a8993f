"""Makes the files of this folder: a small CNN and a small transformer encoder as ONNX, by both exporters of PyTorch, and
expected.json, what PyTorch computes with them: of the image sin(0.37 i) and the words i % 11, i counting all elements.

pip install torch onnx onnxscript; python make.py
"""

import json
import pathlib
import sys
import warnings

import onnx
import torch
from torch import nn
from torch.nn import functional as F

FOLDER = pathlib.Path(__file__).parent


class SmallCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8)
        self.point = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = F.relu6(self.norm(self.stem(x)))
        y = F.silu(self.point(F.hardswish(self.depthwise(x))))
        x = F.max_pool2d(x + y, 2)
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)
        return F.log_softmax(self.head(x), dim=1)


class SmallEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, tokens):
        return self.encoder(self.words(tokens)).mean(1)


def export(name, model, inputs, dynamic, **options):
    torch.manual_seed(0)
    model = model().eval()
    target = FOLDER / f"{name}.onnx"
    torch.onnx.export(
        model, inputs, target, input_names=["input"], output_names=["output"], verbose=False, **dynamic, **options)
    if not options.get("dynamo"):
        return
    # Stack traces, most of the file, say where on this machine the exporter is installed.
    proto = onnx.load(target, load_external_data=False)
    for entries in [proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.input, *proto.graph.output,
                    *proto.graph.initializer]:
        del entries.metadata_props[:]
    target.write_bytes(proto.SerializeToString())


def main():
    warnings.filterwarnings("ignore")
    image = (torch.zeros(2, 3, 16, 16),)
    tokens = (torch.zeros(2, 6, dtype=torch.int64),)
    old = {"dynamic_axes": {"input": {0: "batch"}}}
    words = {"dynamic_axes": {"input": {0: "batch", 1: "words"}}}
    batch, length = torch.export.Dim("batch"), torch.export.Dim("words")
    for opset in (11, 13, 17):
        export(f"cnn_torchscript_{opset}", SmallCNN, image, old, opset_version=opset, dynamo=False)
    export("encoder_torchscript_17", SmallEncoder, tokens, words, opset_version=17, dynamo=False)
    new = {"dynamo": True, "opset_version": 18, "external_data": True}
    export("cnn_dynamo_18", SmallCNN, image, {"dynamic_shapes": ({0: batch},)}, **new)
    export("encoder_dynamo_18", SmallEncoder, tokens, {"dynamic_shapes": ({0: batch, 1: length},)}, **new)
    expected = {}
    for name, model, inputs in (
        ("cnn", SmallCNN, torch.sin(0.37 * torch.arange(2 * 3 * 16 * 16, dtype=torch.float64)).float().reshape(2, 3, 16, 16)),
        ("encoder", SmallEncoder, (torch.arange(2 * 6) % 11).reshape(2, 6)),
    ):
        torch.manual_seed(0)
        expected[name] = model().eval()(inputs).flatten().tolist()
    (FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")
    print(torch.__version__, onnx.__version__, file=sys.stderr)


main()
