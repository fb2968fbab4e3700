"""Wanda by the reference's own code, unchanged, on the same model and tokens as compute.py.

PATH is a checkout of github.com/locuslab/wanda. Its libraries for loading models and data are not needed: the model is
llama.py's, the tokens are given, and what it imports of `transformers` and `datasets` is never called here.
"""
import contextlib
import io
import sys
import types

import torch
from torch import nn


class Layer(nn.Module):
    """A block with the arguments that the reference passes."""

    def __init__(self, block, tables):
        super().__init__()
        self.block = block
        self.tables = tables

    def forward(self, x, attention_mask=None, position_ids=None):
        return (self.block(x, *self.tables),)


class Model(nn.Module):
    """What prune_wanda asks of a Hugging Face model."""

    def __init__(self, llama, length):
        super().__init__()
        self.config = types.SimpleNamespace(use_cache=False, hidden_size=llama.config["hidden_size"])
        self.seqlen = length
        self.hf_device_map = {}
        self.model = nn.Module()
        self.model.embed_tokens = llama.model.embed_tokens
        tables = llama.tables(length)
        self.model.layers = nn.ModuleList(Layer(block, tables) for block in llama.model.layers)

    def forward(self, tokens):
        return self.model.layers[0](self.model.embed_tokens(tokens), attention_mask=None, position_ids=None)


def load(path, tokens):
    """The reference's prune module, with the calibration tokens in place of its download."""
    for name in ("transformers", "datasets"):
        sys.modules.setdefault(name, types.ModuleType(name))
    data = types.ModuleType("lib.data")
    data.get_loaders = lambda *_, **__: ([(row[None], None) for row in tokens], None)
    sys.modules["lib.data"] = data
    sys.path.insert(0, path)
    import lib.prune
    return lib.prune


def wanda(llama, tokens, path, sparsity=0.5):
    prune = load(path, tokens)
    model = Model(llama, tokens.shape[1])
    args = types.SimpleNamespace(nsamples=len(tokens), seed=0, use_variant=False, sparsity_ratio=sparsity)
    with contextlib.redirect_stdout(io.StringIO()):
        prune.prune_wanda(args, model, None, device=torch.device("cpu"))
