"""Writes a trained demo model as GGUF (version 3), and what torch computes from it.

  /usr/bin/python3 export.py OUTDIR

reads OUTDIR/demo.pt and writes OUTDIR/demo.gguf and OUTDIR/reference.json.
"""

import hashlib
import json
import os
import struct
import sys

import numpy as np
import torch

import cells
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


# Engines that round to F16 on the way, as llama.cpp does, differ from torch by up to
# 0.01 in a log-probability: an answer is no reference from where it hangs on less.
MARGIN = 0.03


def greedy(net, tokenizer, prompt, limit=40):
    """The most probable answer: see Greedy of package llmtest."""
    ids, tokens, logprobs, stop = [vocabulary.BOS] + tokenizer.encode(prompt), [], [], "limit"
    while len(tokens) < limit:
        p = net.logits(net.hidden(torch.tensor([ids + tokens]))[-1]).log_softmax(-1)
        (first, second), (best, _) = (v.tolist() for v in p.topk(2))
        if first - second < MARGIN:
            break
        logprobs.append(float(p[best]))
        if best == vocabulary.EOS:
            stop = "eos"
            break
        tokens.append(best)
    return dict(prompt=prompt, ids=ids, tokens=tokens, text=tokenizer.decode(tokens), logprobs=logprobs, stop=stop)


def score(net, tokenizer, prompt, label):
    question, answer = [vocabulary.BOS] + tokenizer.encode(prompt), tokenizer.encode(" " + label) + [vocabulary.EOS]
    p = net.logits(net.hidden(torch.tensor([question + answer]))).log_softmax(-1)
    return float(sum(p[len(question) - 1 + i, t] for i, t in enumerate(answer)))


def embedding(net, tokenizer, text):
    ids = [vocabulary.BOS] + tokenizer.encode(text)
    h = net.hidden(torch.tensor([ids]))
    return dict(text=text, ids=ids, last=h[-1].tolist(), mean=h.mean(0).tolist())


@torch.no_grad()
def reference(net, source, sha256):
    """What package llmtest compares backends with."""
    t = source.tokenizer
    wanted = dict(cell_type=4, generation=4, perturbation=8)
    prompts, typing = [], []
    while any(wanted.values()):
        g = source.group()
        fields = dict(num_genes=len(g["control"].split()), context=g["context"], control_cell_sentence=g["control"])
        for task, prompt in (
            ("cell_type", source.prompt("cell_type", num_genes=g["typed"]["num_genes"], cell_sentence=g["typed"]["cell"])),
            ("generation", source.prompt("generation", num_genes=g["generated"]["num_genes"], cell_type=g["generated"]["cell_type"])),
            ("perturbation", source.prompt("perturbation", perturbation=g["answers"][0]["perturbation"], **fields)),
            ("perturbation", source.prompt("perturbation", perturbation=g["answers"][1]["perturbation"], **fields)),
        ):
            if not wanted[task] or prompt in [p["prompt"] for p in prompts]:
                continue
            answer = greedy(net, t, prompt)
            if answer["stop"] == "eos" or len(answer["tokens"]) >= 10:
                wanted[task] -= 1
                prompts.append(answer)
                if task == "cell_type":
                    typing.append(prompt)
    # Bytes, blanks and names that the vocabulary lacks.
    odd = "  two  blanks, \u00dcnknown\t# \U0001f9ec and\r\n\n DECOY-017 DRUG-901 ACTBX"
    answer = greedy(net, t, odd, 12)
    if answer["tokens"]:
        prompts.append(answer)
    return dict(
        sha256=sha256,
        prompts=prompts,
        scores=[dict(prompt=p, labels={c + ".": score(net, t, p, c + ".") for c in source.world["cell_types"]}) for p in typing],
        embeddings=[embedding(net, t, p) for p in (typing[0], typing[1], odd)],
    )


def write(out, program):
    """program is worldgen, built."""
    saved = torch.load(os.path.join(out, "demo.pt"))
    net = gemma.Gemma2(saved["c"])
    net.load_state_dict(saved["state"])
    source = cells.Cells(program, 0, 1)
    path = os.path.join(out, "demo.gguf")
    write_model(path, net, source.tokenizer, source.world)
    # From here on the weights are those of the file.
    for p in net.parameters():
        if p.dim() == 2:
            p.data = p.data.half().float()
    gemma.Linear.half = False
    with open(path, "rb") as f:
        sha256 = hashlib.sha256(f.read()).hexdigest()
    with open(os.path.join(out, "reference.json"), "w") as f:
        json.dump(reference(net, source, sha256), f, indent=1)
    source.close()
    print(os.path.getsize(path), "bytes,", saved["facts"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    write(sys.argv[1], cells.build())
