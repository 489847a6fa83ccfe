#!/usr/bin/env python3
"""Converts an image encoder's published checkpoint into a safetensors file for the transform
`encoder`.

    convert_encoder.py CHECKPOINT OUTPUT [--without_fc]

Takes R3M's and VIP's checkpoints (model.pt), and state dicts of torchvision's ResNet-18, -34 and
-50. Needs PyTorch, here and nowhere else. `--without_fc` leaves out a last layer that names classes:
RoboHive's rrl encoders are torchvision's networks without it.
"""

import argparse
import json
import struct

import torch

# Where the network is in a checkpoint, and how its tensors' names begin there.
PARTS = ("r3m", "vip", "state_dict")
PREFIXES = ("module.convnet.", "convnet.", "module.", "")


def network(checkpoint):
    for part in PARTS:
        if part in checkpoint:
            checkpoint = checkpoint[part]
    for prefix in PREFIXES:
        if prefix + "conv1.weight" in checkpoint:
            return {
                name[len(prefix) :]: tensor
                for name, tensor in checkpoint.items()
                if name.startswith(prefix) and torch.is_tensor(tensor)
            }
    raise SystemExit("error: this is no checkpoint of a ResNet: there is no conv1.weight")


def write(tensors, path):
    header, chunks, offset = {}, [], 0
    for name, tensor in sorted(tensors.items()):
        data = tensor.detach().to(torch.float32).contiguous().cpu()
        chunk = data.numpy().tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(data.shape),
            "data_offsets": [offset, offset + len(chunk)],
        }
        chunks.append(chunk)
        offset += len(chunk)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(chunks)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("output")
    parser.add_argument("--without_fc", action="store_true", help="leave out the last layer")
    args = parser.parse_args()
    checkpoint = torch.load(args.checkpoint, map_location="cpu", weights_only=True)
    tensors = {
        name: tensor
        for name, tensor in network(checkpoint).items()
        if not name.endswith("num_batches_tracked")
        and not (args.without_fc and name.startswith("fc."))
    }
    write(tensors, args.output)
    print(f"{args.output}: {len(tensors)} tensors")


if __name__ == "__main__":
    main()
