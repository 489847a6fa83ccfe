"""Compares our ResNets with PyTorch's operators on the same weights, through convert_encoder.py.

resnet_parity.py RESNET_FEATURES CONVERT_ENCODER FOLDER
"""

import subprocess
import sys

import torch
from torch import nn

SIZE = 64
IMAGES = 2
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


class Block(nn.Module):
    """torchvision's BasicBlock or Bottleneck, by its names."""

    def __init__(self, inputs, width, outputs, stride, bottleneck):
        super().__init__()
        if bottleneck:
            shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        else:
            shapes = [(inputs, width, 3, stride), (width, outputs, 3, 1)]
        self.length = len(shapes)
        for k, (a, b, size, step) in enumerate(shapes, 1):
            setattr(self, f"conv{k}", nn.Conv2d(a, b, size, step, size // 2, bias=False))
            setattr(self, f"bn{k}", nn.BatchNorm2d(b))
        self.downsample = None
        if stride != 1 or inputs != outputs:
            conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for k in range(1, self.length + 1):
            y = getattr(self, f"bn{k}")(getattr(self, f"conv{k}")(y))
            y = torch.relu(y) if k < self.length else y
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for layer, blocks in enumerate(BLOCKS[depth]):
            width = 64 << layer
            outputs = 4 * width if depth == 50 else width
            made = []
            for block in range(blocks):
                stride = 2 if layer > 0 and block == 0 else 1
                made.append(Block(inputs, width, outputs, stride, depth == 50))
                inputs = outputs
            setattr(self, f"layer{layer + 1}", nn.Sequential(*made))

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for layer in range(1, 5):
            x = getattr(self, f"layer{layer}")(x)
        return x.mean((2, 3))


def main():
    program, convert, folder = sys.argv[1:]
    torch.manual_seed(0)
    for depth in BLOCKS:
        network = ResNet(depth).eval()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -0.2, 0.2)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
        images = torch.rand(IMAGES, 3, SIZE, SIZE)
        with torch.no_grad():
            expected = network(images)
        state = {f"module.convnet.{name}": value for name, value in network.state_dict().items()}
        torch.save({"r3m": state}, f"{folder}/model.pt")
        command = [sys.executable, convert, f"{folder}/model.pt", f"{folder}/model.safetensors"]
        subprocess.run(command, check=True)
        with open(f"{folder}/images", "wb") as file:
            file.write(images.numpy().tobytes())
        command = [program, f"{folder}/model.safetensors", f"{folder}/images", str(SIZE)]
        output = subprocess.run(command, check=True, capture_output=True).stdout
        ours = torch.frombuffer(bytearray(output), dtype=torch.float32).view(IMAGES, -1)
        difference = (ours - expected).abs().max().item()
        print(f"ResNet-{depth}: largest difference from PyTorch {difference:.2g}")
        assert difference <= 1e-4 and expected.abs().max() > 0.01


if __name__ == "__main__":
    main()
