"""One method, timed inside one process: the reference's way in plain PyTorch.

usage: compute.py forward|train|wanda|sparsegpt|flap MODEL_FOLDER TOKENS THREADS
       compute.py wanda|sparsegpt|flap MODEL_FOLDER TOKENS THREADS REFERENCES
With REFERENCES the references' own code is run (reference.py), without it a plain script (pruning.py). TOKENS is a
safetensors file with `tokens` [sequences, length]. Prints one JSON line.
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

import pruning
import reference
from llama import load, read_safetensors


def forward(model, tokens):
    """Logits of every sequence, four at a time."""
    total = 0.0
    with torch.no_grad():
        for batch in tokens.split(4):
            total += model(batch)[:, -1].double().sum().item()
    return total


class LoraLinear(nn.Module):
    """peft's LoRA layer without its options: base(x) + B(A(x)) * alpha / r."""

    def __init__(self, base, rank=8, alpha=16.0):
        super().__init__()
        self.base = base
        self.lora_A = nn.Linear(base.in_features, rank, bias=False)
        self.lora_B = nn.Linear(rank, base.out_features, bias=False)
        nn.init.kaiming_uniform_(self.lora_A.weight, a=5 ** 0.5)
        nn.init.zeros_(self.lora_B.weight)
        self.scaling = alpha / rank

    def forward(self, x):
        return self.base(x) + self.lora_B(self.lora_A(x)) * self.scaling


def train(model, tokens):
    """LoRA on every linear of the blocks, AdamW, batches of four."""
    torch.manual_seed(0)
    model.requires_grad_(False)
    for layer in model.model.layers:
        for part in (layer.self_attn, layer.mlp):
            for name, child in list(part.named_children()):
                if isinstance(child, nn.Linear):
                    setattr(part, name, LoraLinear(child))
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3)
    loss = None
    for batch in tokens.split(4):
        logits = model(batch)
        loss = F.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), batch[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def peak_mb():
    """Resident memory at its highest. (getrusage would count what the process was forked from.)"""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


def main():
    method, folder, path, threads = sys.argv[1:5]
    torch.set_num_threads(int(threads))
    model = load(folder)
    tokens = read_safetensors(path)["tokens"]
    started, worked = time.perf_counter(), time.process_time()
    if len(sys.argv) > 5:
        result = getattr(reference, method)(model, tokens, sys.argv[5])
    else:
        result = METHODS[method](model, tokens)
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    print(json.dumps({
        "seconds": seconds,
        "cpu_seconds": worked,
        "tokens_per_second": tokens.numel() / seconds,
        "peak_mb": peak_mb(),
        "result": result,
    }))


METHODS = {"forward": forward, "train": train, "wanda": pruning.wanda, "sparsegpt": pruning.sparsegpt, "flap": pruning.flap}

if __name__ == "__main__":
    main()
