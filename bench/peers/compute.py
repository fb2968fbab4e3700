"""One method, timed inside one process: the reference's way in plain PyTorch.

usage: compute.py forward|train|wanda MODEL_FOLDER TOKENS THREADS
       compute.py wanda-reference MODEL_FOLDER TOKENS THREADS REPOSITORY
TOKENS is a safetensors file with `tokens` [sequences, length]. Prints one JSON line.
"""
import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

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


def wanda(model, tokens, sparsity=0.5):
    """Each block is run over all sequences twice, one sequence at a time: to measure its inputs, and pruned."""
    cos, sin, mask = model.tables(tokens.shape[1])
    with torch.no_grad():
        inputs = torch.cat([model.model.embed_tokens(t[None]) for t in tokens])
        outputs = torch.zeros_like(inputs)
        for layer in model.model.layers:
            linears = [m for m in layer.modules() if isinstance(m, nn.Linear)]
            squares = {m: torch.zeros(m.in_features) for m in linears}
            seen = {m: 0 for m in linears}

            def measure(m, given, _):
                x = given[0].reshape(-1, given[0].shape[-1]).t()
                squares[m] *= seen[m] / (seen[m] + 1)
                seen[m] += 1
                squares[m] += torch.norm(x.type(torch.float32), p=2, dim=1) ** 2 / seen[m]

            hooks = [m.register_forward_hook(measure) for m in linears]
            for j in range(len(inputs)):
                outputs[j] = layer(inputs[j].unsqueeze(0), cos, sin, mask)[0]
            for hook in hooks:
                hook.remove()
            for m in linears:
                metric = m.weight.abs() * squares[m].reshape(1, -1).sqrt()
                order = torch.sort(metric, dim=-1, stable=True)[1]
                drop = torch.zeros_like(metric, dtype=torch.bool)
                drop.scatter_(1, order[:, : int(metric.shape[1] * sparsity)], True)
                m.weight[drop] = 0
            for j in range(len(inputs)):
                outputs[j] = layer(inputs[j].unsqueeze(0), cos, sin, mask)[0]
            inputs, outputs = outputs, inputs
    return zeros(model)


def zeros(model):
    """What the result is known by: where the zeros are."""
    positions = 0
    for layer in model.model.layers:
        for m in layer.modules():
            if isinstance(m, nn.Linear):
                positions += ((m.weight == 0).flatten().nonzero()).sum().item()
    return positions


def wanda_reference(model, tokens):
    """The reference's own prune_wanda, unchanged."""
    import reference
    reference.wanda(model, tokens, sys.argv[5])
    return zeros(model)


def main():
    method, folder, path, threads = sys.argv[1:5]
    torch.set_num_threads(int(threads))
    model = load(folder)
    tokens = read_safetensors(path)["tokens"]
    started = time.perf_counter()
    result = METHODS[method](model, tokens)
    seconds = time.perf_counter() - started
    print(json.dumps({
        "seconds": seconds,
        "tokens_per_second": tokens.numel() / seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "result": result,
    }))


METHODS = {"forward": forward, "train": train, "wanda": wanda, "wanda-reference": wanda_reference}

if __name__ == "__main__":
    main()
