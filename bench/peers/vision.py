"""ResNet-56 for CIFAR in plain PyTorch, timed inside one process: what a Python user's training costs.

usage: vision.py forward|train MODEL_FOLDER IMAGES THREADS
IMAGES is a safetensors file with `images` [N, 3, 32, 32] and `labels` [N]. Prints one JSON line.
"""
import json
import os
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

from llama import read_safetensors

BATCH = 128


class Block(nn.Module):
    """He et al.'s basic block; its shortcut takes every second pixel and puts channels of zeros on both sides."""

    def __init__(self, before, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, planes, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.pad = (planes - before) // 2
        self.stride = stride

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1 or self.pad:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(out + x)


class CifarResNet(nn.Module):
    def __init__(self, depth, classes=10):
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*[Block(16, 16, 1) for _ in range(blocks)])
        self.layer2 = nn.Sequential(Block(16, 32, 2), *[Block(32, 32, 1) for _ in range(blocks - 1)])
        self.layer3 = nn.Sequential(Block(32, 64, 2), *[Block(64, 64, 1) for _ in range(blocks - 1)])
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def forward(model, images, labels):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for batch in images.split(BATCH):
            total += model(batch).double().square().sum().item()
    return total


def train(model, images, labels):
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    loss = None
    for batch, truth in zip(images.split(BATCH), labels.split(BATCH)):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(batch), truth)
        loss.backward()
        optimizer.step()
        last = loss.item()
    return last


def main():
    method, folder, path, threads = sys.argv[1:5]
    torch.set_num_threads(int(threads))
    model = CifarResNet(56)
    weights = read_safetensors(os.path.join(folder, "model.safetensors"))
    missing, unexpected = model.load_state_dict(weights, strict=False)
    # Written by a network that has not run, counts of batches may be absent.
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    data = read_safetensors(path)
    images, labels = data["images"], data["labels"]
    start, worked = time.perf_counter(), time.process_time()
    result = {"forward": forward, "train": train}[method](model, images, labels)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    print(json.dumps({
        "seconds": seconds,
        "cpu_seconds": worked,
        "tokens_per_second": len(images) / seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "result": result,
    }))


main()
