"""Wanda, SparseGPT and FLAP by the reference's own code, unchanged, on the same model and tokens as compute.py.

PATH is a folder with checkouts of github.com/locuslab/wanda, as `wanda`, and github.com/CASIA-IVA-Lab/FLAP, as `FLAP`. Their
libraries for loading models and data are not needed: the model is llama.py's, the tokens are given, and what they import of
`transformers`, `datasets` and `tqdm` does nothing for them here.
"""
import contextlib
import io
import os
import sys
import types

import torch
from torch import nn

from pruning import kept, zeros


class Layer(nn.Module):
    """A block under Hugging Face's names, with the arguments that the references pass."""

    def __init__(self, block, tables, heads):
        super().__init__()
        self.self_attn = block.self_attn
        self.self_attn.num_heads = heads
        self.mlp = block.mlp
        self.forward_block = lambda x: block(x, *tables)

    def forward(self, x, attention_mask=None, position_ids=None):
        return (self.forward_block(x),)


class Model(nn.Module):
    """What the references ask of a Hugging Face model."""

    def __init__(self, llama, length):
        super().__init__()
        config = llama.config
        self.config = types.SimpleNamespace(
            use_cache=False, hidden_size=config["hidden_size"], intermediate_size=config["intermediate_size"],
            num_hidden_layers=config["num_hidden_layers"])
        self.seqlen = length
        self.hf_device_map = {}
        self.model = nn.Module()
        self.model.embed_tokens = llama.model.embed_tokens
        tables = llama.tables(length)
        self.model.layers = nn.ModuleList(Layer(block, tables, config["num_attention_heads"]) for block in llama.model.layers)

    def forward(self, tokens):
        return self.model.layers[0](self.model.embed_tokens(tokens), attention_mask=None, position_ids=None)


class WithoutHalf(types.ModuleType):
    """PyTorch, but for its half precision, which has no products on the CPU."""

    half = torch.float32

    def __getattr__(self, name):
        return getattr(torch, name)


def load(path, tokens):
    """A reference's prune module, with the calibration tokens in place of its download."""
    for name in ("transformers", "datasets", "tqdm"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["transformers"].Conv1D = type("Conv1D", (), {})
    sys.modules["tqdm"].tqdm = lambda steps, **_: steps
    torch.cuda.synchronize = lambda *_: None
    data = types.ModuleType("lib.data")
    data.get_loaders = lambda *_, **__: ([(row[None], None) for row in tokens], None)
    sys.modules["lib.data"] = data
    sys.path.insert(0, path)
    import lib.prune
    return lib.prune


def run(llama, tokens, path, method, **settings):
    prune = load(path, tokens)
    prune.torch = WithoutHalf("torch")
    args = types.SimpleNamespace(nsamples=len(tokens), seed=0, **settings)
    with contextlib.redirect_stdout(io.StringIO()):
        getattr(prune, method)(args, Model(llama, tokens.shape[1]), None, torch.device("cpu"))


def wanda(llama, tokens, path):
    run(llama, tokens, os.path.join(path, "wanda"), "prune_wanda", use_variant=False, sparsity_ratio=0.5)
    return zeros(llama)


def sparsegpt(llama, tokens, path):
    run(llama, tokens, os.path.join(path, "wanda"), "prune_sparsegpt", sparsity_ratio=0.5)
    return zeros(llama)


def flap(llama, tokens, path):
    # As its main.py does: the biases that it fills are there before.
    for layer in llama.model.layers:
        for m in (layer.self_attn.o_proj, layer.mlp.down_proj):
            m.bias = nn.Parameter(torch.zeros(m.out_features))
    with torch.no_grad():
        run(llama, tokens, os.path.join(path, "FLAP"), "prune_flap", metrics="WIFV", structure="AL-AM", pruning_ratio=0.2,
            remove_heads=0, unstr=False)
    return kept(llama)
