"""Writes the demo model as GGUF (version 3), and what torch computes from that file.

  /usr/bin/python3 export.py demo.gguf reference.json [PROMPT ...]
"""

import json
import struct
import sys

import numpy as np
import torch

import model as gemma
import vocabulary

NAME = "c2s demo model on simulated cells"
ALIGNMENT = 32
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9  # value types
TENSOR_F32, TENSOR_F16 = 0, 1


def text(s):
    return struct.pack("<Q", len(s.encode())) + s.encode()


def value(kind, v):
    if isinstance(v, list):
        return struct.pack("<IIQ", ARRAY, kind, len(v)) + b"".join(scalar(kind, x) for x in v)
    return struct.pack("<I", kind) + scalar(kind, v)


def scalar(kind, v):
    if kind == STRING:
        return text(v)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], v)


def metadata(c, tokenizer, world):
    g, t = "gemma2.", "tokenizer.ggml."
    keys = [
        ("general.architecture", STRING, "gemma2"),
        ("general.name", STRING, NAME),
        ("general.license", STRING, "apache-2.0"),
        ("general.file_type", U32, 1),
        (g + "context_length", U32, 8192),
        (g + "embedding_length", U32, c["width"]),
        (g + "block_count", U32, c["layers"]),
        (g + "feed_forward_length", U32, c["feed"]),
        (g + "attention.head_count", U32, c["heads"]),
        (g + "attention.head_count_kv", U32, c["kv_heads"]),
        (g + "attention.layer_norm_rms_epsilon", F32, gemma.EPSILON),
        (g + "attention.key_length", U32, c["head"]),
        (g + "attention.value_length", U32, c["head"]),
        (g + "attn_logit_softcapping", F32, gemma.ATTENTION_CAP),
        (g + "final_logit_softcapping", F32, gemma.LOGIT_CAP),
        (g + "attention.sliding_window", U32, 4096),
        (t + "model", STRING, "llama"),
        (t + "pre", STRING, "default"),
        (t + "tokens", STRING, tokenizer.tokens),
        (t + "scores", F32, tokenizer.scores),
        (t + "token_type", I32, tokenizer.types),
        (t + "bos_token_id", U32, vocabulary.BOS),
        (t + "eos_token_id", U32, vocabulary.EOS),
        (t + "unknown_token_id", U32, vocabulary.UNKNOWN),
        (t + "padding_token_id", U32, vocabulary.PAD),
        (t + "add_bos_token", BOOL, True),
        (t + "add_eos_token", BOOL, False),
        (t + "add_space_prefix", BOOL, False),
        ("c2s.demo", BOOL, True),
    ]
    return keys + [("c2s.prompt." + k, STRING, v) for k, v in sorted(world["prompts"].items())]


def tensors(net):
    """GGUF names and arrays: matrices in F16, norms in F32 as 1 + w."""
    for name, p in net.state_dict().items():
        array = p.numpy().astype("<f4")
        name = name if name.endswith(".weight") else name + ".weight"
        yield name, array.astype("<f2") if array.ndim == 2 else array + np.float32(1)


def write_model(path, net, tokenizer, world):
    keys, arrays = metadata(net.c, tokenizer, world), list(tensors(net))
    out = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(arrays), len(keys)))
    for key, kind, v in keys:
        out += text(key) + value(kind, v)
    offset = 0
    for name, array in arrays:
        kind = TENSOR_F16 if array.dtype == "<f2" else TENSOR_F32
        out += text(name) + struct.pack("<I", array.ndim)
        out += b"".join(struct.pack("<Q", d) for d in reversed(array.shape)) + struct.pack("<IQ", kind, offset)
        offset += -(-array.nbytes // ALIGNMENT) * ALIGNMENT
    for part in [b""] + [array.tobytes() for _, array in arrays]:
        out += part + b"\0" * (-(len(out) + len(part)) % ALIGNMENT)
    with open(path, "wb") as f:
        f.write(out)
