"""Wanda, SparseGPT and FLAP in plain PyTorch, in the order of work of their released code.

Each block is run over all sequences, one at a time, to measure its inputs; Wanda and SparseGPT run it again pruned.
"""
import torch
from torch import nn


def linears_of(layer):
    return [m for m in layer.modules() if isinstance(m, nn.Linear)]


def sweep(model, tokens, prune, observe, again):
    """Shows `observe` every input of every linear, block after block, and prunes each block when it was run."""
    cos, sin, mask = model.tables(tokens.shape[1])
    with torch.no_grad():
        inputs = torch.cat([model.model.embed_tokens(t[None]) for t in tokens])
        outputs = torch.zeros_like(inputs)
        for layer in model.model.layers:
            measured = {}
            hooks = [m.register_forward_hook(lambda m, given, _: observe(measured, m, given[0][0])) for m in linears_of(layer)]
            for j in range(len(inputs)):
                outputs[j] = layer(inputs[j].unsqueeze(0), cos, sin, mask)[0]
            for hook in hooks:
                hook.remove()
            prune(layer, measured)
            if again:
                for j in range(len(inputs)):
                    outputs[j] = layer(inputs[j].unsqueeze(0), cos, sin, mask)[0]
            inputs, outputs = outputs, inputs


def wanda(model, tokens, sparsity=0.5):
    def observe(measured, m, x):
        squares, seen = measured.get(m, (torch.zeros(m.in_features), 0))
        measured[m] = (squares * (seen / (seen + 1)) + x.norm(p=2, dim=0) ** 2 / (seen + 1), seen + 1)

    def prune(layer, measured):
        for m in linears_of(layer):
            metric = m.weight.abs() * measured[m][0].reshape(1, -1).sqrt()
            order = torch.sort(metric, dim=-1, stable=True)[1]
            drop = torch.zeros_like(metric, dtype=torch.bool)
            drop.scatter_(1, order[:, : int(metric.shape[1] * sparsity)], True)
            m.weight[drop] = 0

    sweep(model, tokens, prune, observe, again=True)
    return zeros(model)


def sparsegpt(model, tokens, sparsity=0.5, width=128, damping=0.01):
    def observe(measured, m, x):
        hessian, seen = measured.get(m, (torch.zeros(m.in_features, m.in_features), 0))
        hessian *= seen / (seen + 1)
        x = x * (2 / (seen + 1)) ** 0.5
        hessian += x.t() @ x
        measured[m] = (hessian, seen + 1)

    def prune(layer, measured):
        for m in linears_of(layer):
            reconstruct(m, measured.pop(m)[0])

    def reconstruct(m, hessian):
        work = m.weight.clone()
        diagonal = hessian.diagonal()
        dead = diagonal == 0
        diagonal[dead] = 1
        work[:, dead] = 0
        diagonal += damping * diagonal.mean()
        upper = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(hessian)), upper=True)
        for first in range(0, work.shape[1], width):
            last = min(first + width, work.shape[1])
            part, own = work[:, first:last], upper[first:last, first:last]
            scores = part ** 2 / own.diagonal() ** 2
            drop = scores <= torch.sort(scores.flatten())[0][int(scores.numel() * sparsity)]
            errors = torch.zeros_like(part)
            for i in range(last - first):
                errors[:, i] = part[:, i] * drop[:, i] / own[i, i]
                part[:, i:] -= errors[:, i : i + 1] @ own[i : i + 1, i:]
            part[drop] = 0
            work[:, last:] -= errors @ upper[first:last, last:]
        m.weight.copy_(work)

    sweep(model, tokens, prune, observe, again=True)
    return zeros(model)


def flap(model, tokens, ratio=0.2):
    blocks, means, size = model.model.layers, [], model.config["hidden_size"] // model.config["num_attention_heads"]
    scores = {"heads": [], "neurons": []}

    def observe(measured, m, x):
        if all(m is not kept for block in blocks for kept in (block.self_attn.o_proj, block.mlp.down_proj)):
            return
        mean, spread, seen = measured.get(m, (torch.zeros(m.in_features), torch.zeros(m.in_features), 0))
        mean = mean * (seen / (seen + 1)) + x.mean(0) / (seen + 1)
        if seen > 0:
            spread = spread * ((seen - 1) / seen) + ((x - mean) ** 2).sum(0) / (seen + 1)
        measured[m] = (mean, spread, seen + 1)

    def prune(layer, measured):
        for kind, m in (("heads", layer.self_attn.o_proj), ("neurons", layer.mlp.down_proj)):
            score = measured[m][1] * m.weight.pow(2).sum(0)
            score = score ** 2 if kind == "heads" else score
            score = (score - score.mean()) / score.std()
            scores[kind].append(score.view(-1, size).mean(1) if kind == "heads" else score)
            means.append(measured[m][0])

    sweep(model, tokens, prune, observe, again=False)
    heads, neurons = torch.stack(scores["heads"]), torch.stack(scores["neurons"])
    ordered, index = torch.sort(torch.cat([heads.flatten(), neurons.flatten()]), descending=True)
    weight = torch.ones_like(index)
    weight[index < heads.numel()] = 4 * size // 3
    threshold = ordered[torch.argmin((weight.cumsum(0) - weight.sum() * (1 - ratio)).abs())]
    with torch.no_grad():
        for block, head, neuron, attended, mixed in zip(blocks, heads, neurons, means[::2], means[1::2]):
            part = block.self_attn
            cut((part.q_proj, part.k_proj, part.v_proj), part.o_proj, (head > threshold).repeat_interleave(size), attended)
            cut((block.mlp.gate_proj, block.mlp.up_proj), block.mlp.down_proj, neuron > threshold, mixed)
    return kept(model)


def cut(writers, reader, stays, mean):
    reader.bias = nn.Parameter(reader.weight @ (mean * ~stays))
    reader.weight = nn.Parameter(reader.weight[:, stays])
    for writer in writers:
        writer.weight = nn.Parameter(writer.weight[stays])


def zeros(model):
    """What the result is known by: where the zeros are."""
    return sum((m.weight == 0).flatten().nonzero().sum().item() for layer in model.model.layers for m in linears_of(layer))


def kept(model):
    """What the result is known by: how much each reader reads, and what was put into its bias."""
    readers = [m for layer in model.model.layers for m in (layer.self_attn.o_proj, layer.mlp.down_proj)]
    return sum(m.weight.shape[1] + m.bias.double().abs().sum().item() for m in readers)
