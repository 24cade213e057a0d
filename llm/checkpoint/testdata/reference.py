"""Tiny Hugging Face checkpoints with random weights, and what torch computes from
them: the log-probabilities that a converted model must give.

    python3 reference.py FOLDER

writes FOLDER/gemma2 (two shards, tokenizer.model), FOLDER/neox (one file,
tokenizer.json) and FOLDER/reference.json. Needs torch (1.13 is enough) and nothing
else: the forward passes are written out here, as transformers has them
(modeling_gemma2.py, modeling_gpt_neox.py), with its names of tensors.
"""

import json
import math
import os
import re
import struct
import sys

import torch
import torch.nn.functional as F

WORDS = "MALAT1 B2M TMSB4X CD3D CD3E CD8A NKG7 GNLY LYZ Cell type sentence".split()
PROMPTS = [
    "Cell sentence: MALAT1 B2M CD3D CD3E LYZ NKG7 GNLY TMSB4X B2M CD8A.\nCell type:",
    "CD3D  LYZ é日\t?",
    "LYZ",
]
ANSWERS = [" NKG7 CD8A", " LYZ", " B2M,  B2M"]


def write_safetensors(path, tensors):
    head, data = {"__metadata__": {"format": "pt"}}, bytearray()
    for name, t in tensors.items():
        b = t.contiguous().numpy().astype("<f4").tobytes()
        head[name] = dict(dtype="F32", shape=list(t.shape), data_offsets=[len(data), len(data) + len(b)])
        data += b
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def dump(path, value):
    with open(path, "w") as f:
        json.dump(value, f)


def rotate(x, dims, base):
    """x [heads, tokens, size]: the first dims of each head are turned, in halves."""
    turn, rest = x[..., :dims], x[..., dims:]
    angles = torch.arange(x.shape[1]).float()[:, None] * base ** (-torch.arange(0, dims, 2).float() / dims)
    a, b = turn.chunk(2, -1)
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin(), rest], -1)


served = False  # with ggml's gelu instead of the model's own


def gelu(x, form):
    """GELU by the error function ("none") or by tanh. ggml has the second only, and
    looks it up in a table of half-precision numbers."""
    if served:
        return F.gelu(x.half().float(), approximate="tanh").half().float()
    return F.gelu(x, approximate=form)


class Gemma2:
    """Gemma-2 with a query scale, a window and norms that a converter must not lose."""

    config = dict(
        architectures=["Gemma2ForCausalLM"], model_type="gemma2", vocab_size=0, hidden_size=64, num_hidden_layers=3,
        intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, head_dim=32, rms_norm_eps=1e-6,
        max_position_embeddings=512, sliding_window=24, query_pre_attn_scalar=24, attn_logit_softcapping=50.0,
        final_logit_softcapping=30.0, rope_theta=10000.0, hidden_activation="gelu_pytorch_tanh", hidden_act="gelu_pytorch_tanh",
        bos_token_id=2, eos_token_id=1, pad_token_id=0, attention_bias=False, torch_dtype="float32",
    )
    bos = [2]
    eos = 1

    def __init__(self):
        pieces = [("<pad>", 0, 3), ("<eos>", 0, 3), ("<bos>", 0, 3), ("<unk>", 0, 2)]
        pieces += [("<0x%02X>" % i, 0, 6) for i in range(256)]
        pieces += [("▁▁", 0, 4)]  # a run of blanks is the user's token, as in Gemma's vocabulary
        words = ["▁", "\n"] + [chr(i) for i in range(33, 127)]
        for w in WORDS:
            for start in ("▁" + w, w):
                words += [start[:i] for i in range(2, len(start) + 1) if start[:i] not in words]
        pieces += [(w, 10 * len(w) - 0.001 * i - 1000, 1) for i, w in enumerate(words)]
        self.pieces = pieces
        self.id = {text: i for i, (text, _, kind) in enumerate(pieces) if kind == 1}
        self.config = dict(self.config, vocab_size=len(pieces) + 3)
        c = self.config
        width, feed, heads, kv, head = c["hidden_size"], c["intermediate_size"], 4, 2, 32
        self.w = w = {"model.embed_tokens.weight": torch.randn(c["vocab_size"], width) * 0.06, "model.norm.weight": torch.randn(width) * 0.3}
        for rows in slice(260), slice(-3, None):  # see quiet tokens below
            w["model.embed_tokens.weight"][rows] *= 0.01
        for i in range(c["num_hidden_layers"]):
            p = "model.layers.%d." % i
            for n in "input_layernorm post_attention_layernorm pre_feedforward_layernorm post_feedforward_layernorm".split():
                w[p + n + ".weight"] = torch.randn(width) * 0.3
            for n, rows, cols in (
                ("self_attn.q_proj", heads * head, width), ("self_attn.k_proj", kv * head, width),
                ("self_attn.v_proj", kv * head, width), ("self_attn.o_proj", width, heads * head),
                ("mlp.gate_proj", feed, width), ("mlp.up_proj", feed, width), ("mlp.down_proj", width, feed),
            ):
                w[p + n + ".weight"] = torch.randn(rows, cols) / math.sqrt(cols)

    def encode(self, text):
        out = []
        for part in re.split("(  )", text):
            if part == "  ":
                out.append(260)
                continue
            symbols = list(part.replace(" ", "▁"))
            while True:
                best = None
                for i in range(len(symbols) - 1):
                    j = self.id.get(symbols[i] + symbols[i + 1])
                    if j is not None and (best is None or self.pieces[j][1] > best[0]):
                        best = (self.pieces[j][1], i)
                if best is None:
                    break
                i = best[1]
                symbols[i:i + 2] = [symbols[i] + symbols[i + 1]]
            for s in symbols:
                out += [self.id[s]] if s in self.id else [4 + b for b in s.encode()]
        return out

    def logits(self, ids):
        c, w, n = self.config, self.w, len(ids)
        heads, kv, head = c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"]

        def norm(x, name):
            return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + c["rms_norm_eps"]) * (1 + w[name + ".weight"])

        x = w["model.embed_tokens.weight"][torch.tensor(ids)] * math.sqrt(c["hidden_size"])
        apart = torch.arange(n)[:, None] - torch.arange(n)[None, :]
        for i in range(c["num_hidden_layers"]):
            p = "model.layers.%d." % i

            def linear(x, name):
                return x @ w[p + name + ".weight"].t()

            h = norm(x, p + "input_layernorm")
            q, k, v = (linear(h, "self_attn.%s_proj" % s).view(n, -1, head).transpose(0, 1) for s in "qkv")
            q, k = rotate(q, head, c["rope_theta"]), rotate(k, head, c["rope_theta"])
            k, v = k.repeat_interleave(heads // kv, 0), v.repeat_interleave(heads // kv, 0)
            a = q @ k.transpose(1, 2) * c["query_pre_attn_scalar"] ** -0.5
            a = c["attn_logit_softcapping"] * torch.tanh(a / c["attn_logit_softcapping"])
            hidden = (apart < 0) | ((apart >= c["sliding_window"]) if i % 2 == 0 else False)
            a = a.masked_fill(hidden, float("-inf")).softmax(-1)
            h = linear((a @ v).transpose(0, 1).reshape(n, -1), "self_attn.o_proj")
            x = x + norm(h, p + "post_attention_layernorm")
            h = norm(x, p + "pre_feedforward_layernorm")
            g = gelu(linear(h, "mlp.gate_proj"), "tanh")
            x = x + norm(linear(g * linear(h, "mlp.up_proj"), "mlp.down_proj"), p + "post_feedforward_layernorm")
        out = norm(x, "model.norm") @ w["model.embed_tokens.weight"].t()
        return c["final_logit_softcapping"] * torch.tanh(out / c["final_logit_softcapping"])

    def save(self, folder):
        os.makedirs(folder)
        dump(folder + "/config.json", self.config)
        dump(folder + "/tokenizer_config.json", dict(
            tokenizer_class="GemmaTokenizer", add_bos_token=True, add_eos_token=False, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"))

        def varint(n):
            return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

        def field(key, body):
            return varint(key << 3 | 2) + varint(len(body)) + body

        model = b"".join(
            field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + bytes([3 << 3, kind]))
            for text, score, kind in self.pieces)
        # BPE with bytes to fall back on, and the numbers of unknown, bos, eos and pad.
        trainer = b"".join(varint(key << 3) + bytes([v]) for key, v in ((3, 2), (35, 1), (40, 3), (41, 2), (42, 1), (43, 0)))
        normalizer = field(1, b"identity") + bytes([3 << 3, 0, 4 << 3, 0])
        with open(folder + "/tokenizer.model", "wb") as f:
            f.write(model + field(2, trainer) + field(3, normalizer))
        names = list(self.w)
        index = {}
        for i in range(2):
            file = "model-%05d-of-00002.safetensors" % (i + 1)
            write_safetensors(folder + "/" + file, {n: self.w[n] for n in names[i::2]})
            index.update({n: file for n in names[i::2]})
        dump(folder + "/model.safetensors.index.json", dict(metadata=dict(total_size=sum(t.numel() * 4 for t in self.w.values())), weight_map=index))


class NeoX:
    """GPT-NeoX as Pythia has it: parallel residuals, a quarter of each head turned."""

    config = dict(
        architectures=["GPTNeoXForCausalLM"], model_type="gpt_neox", vocab_size=0, hidden_size=64, num_hidden_layers=3,
        intermediate_size=128, num_attention_heads=4, max_position_embeddings=512, rotary_pct=0.25, rotary_emb_base=10000,
        layer_norm_eps=1e-5, use_parallel_residual=True, hidden_act="gelu", tie_word_embeddings=False, bos_token_id=0, eos_token_id=0,
        torch_dtype="float32",
    )
    bos = []
    eos = 0
    cut = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")

    def __init__(self):
        printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
        signs, n = {b: chr(b) for b in printable}, 0
        for b in range(256):
            if b not in signs:
                signs[b] = chr(256 + n)
                n += 1
        self.signs = signs
        vocab = {"<|endoftext|>": 0, "<|padding|>": 1}
        for b in range(256):
            vocab[signs[b]] = len(vocab)
        merges = []
        for w in WORDS:
            for part in self.cut.findall(" " + w):
                part = [signs[b] for b in part.encode()]
                while len(part) > 1:
                    if (part[0], part[1]) not in merges:
                        merges.append((part[0], part[1]))
                        vocab[part[0] + part[1]] = len(vocab)
                    part[:2] = [part[0] + part[1]]
        self.blanks = len(vocab)  # two blanks, a token that is cut out first
        self.vocab, self.ranks = vocab, {m: i for i, m in enumerate(merges)}
        self.config = dict(self.config, vocab_size=len(vocab) + 4)
        c = self.config
        width, feed = c["hidden_size"], c["intermediate_size"]
        self.w = w = {"gpt_neox.embed_in.weight": torch.randn(c["vocab_size"], width), "embed_out.weight": torch.randn(c["vocab_size"], width) * 0.1}
        # Quiet tokens: servers do not tell of bytes that are no character, nor of rows
        # without a token.
        for rows in slice(258), slice(-3, None):
            w["embed_out.weight"][rows] *= 0.01

        def both(name, *shape):
            w[name + ".weight"] = torch.randn(*shape) / math.sqrt(shape[-1])
            w[name + ".bias"] = torch.randn(shape[0]) * 0.2

        def norm(name):
            w[name + ".weight"], w[name + ".bias"] = 1 + torch.randn(width) * 0.3, torch.randn(width) * 0.2

        norm("gpt_neox.final_layer_norm")
        for i in range(c["num_hidden_layers"]):
            p = "gpt_neox.layers.%d." % i
            norm(p + "input_layernorm")
            norm(p + "post_attention_layernorm")
            both(p + "attention.query_key_value", 3 * width, width)
            both(p + "attention.dense", width, width)
            both(p + "mlp.dense_h_to_4h", feed, width)
            both(p + "mlp.dense_4h_to_h", width, feed)

    def encode(self, text):
        out = []
        for part in re.split("(  )", text):
            if part == "  ":
                out.append(self.blanks)
                continue
            for word in self.cut.findall(part):
                s = [self.signs[b] for b in word.encode()]
                while True:
                    best = min((self.ranks[p], i) for i, p in enumerate(zip(s, s[1:])) if p in self.ranks) if any(p in self.ranks for p in zip(s, s[1:])) else None
                    if best is None:
                        break
                    i = best[1]
                    s[i:i + 2] = [s[i] + s[i + 1]]
                out += [self.vocab[x] for x in s]
        return out

    def logits(self, ids):
        c, w, n = self.config, self.w, len(ids)
        width, heads = c["hidden_size"], c["num_attention_heads"]
        head = width // heads

        def norm(x, name):
            return F.layer_norm(x, (width,), w[name + ".weight"], w[name + ".bias"], c["layer_norm_eps"])

        x = w["gpt_neox.embed_in.weight"][torch.tensor(ids)]
        hidden = torch.full((n, n), float("-inf")).triu(1)
        for i in range(c["num_hidden_layers"]):
            p = "gpt_neox.layers.%d." % i

            def linear(x, name):
                return F.linear(x, w[p + name + ".weight"], w[p + name + ".bias"])

            fused = linear(norm(x, p + "input_layernorm"), "attention.query_key_value")
            q, k, v = fused.view(n, heads, 3, head).permute(2, 1, 0, 3)  # head by head: query, key, value
            dims = int(head * c["rotary_pct"])
            q, k = rotate(q, dims, c["rotary_emb_base"]), rotate(k, dims, c["rotary_emb_base"])
            a = (q @ k.transpose(1, 2) / math.sqrt(head) + hidden).softmax(-1)
            attended = linear((a @ v).transpose(0, 1).reshape(n, width), "attention.dense")
            fed = linear(gelu(linear(norm(x, p + "post_attention_layernorm"), "mlp.dense_h_to_4h"), "none"), "mlp.dense_4h_to_h")
            x = x + attended + fed
        return norm(x, "gpt_neox.final_layer_norm") @ w["embed_out.weight"].t()

    def save(self, folder):
        os.makedirs(folder)
        dump(folder + "/config.json", self.config)
        dump(folder + "/tokenizer_config.json", dict(
            tokenizer_class="GPTNeoXTokenizer", add_prefix_space=False, bos_token="<|endoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>"))

        def added(i, text, special):
            return dict(id=i, content=text, single_word=False, lstrip=False, rstrip=False, normalized=not special, special=special)

        byte_level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True)
        dump(folder + "/tokenizer.json", dict(
            version="1.0", truncation=None, padding=None,
            added_tokens=[added(0, "<|endoftext|>", True), added(1, "<|padding|>", True), added(self.blanks, "  ", False)],
            normalizer=dict(type="NFC"), pre_tokenizer=byte_level, post_processor=byte_level, decoder=byte_level,
            model=dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=False,
                       vocab=self.vocab, merges=["%s %s" % m for m in self.ranks])))
        write_safetensors(folder + "/model.safetensors", self.w)


def reference(m):
    """Greedy answers, with ggml's gelu, too, and the log-probability of answers with
    the end of text."""
    global served
    out = []
    for prompt in PROMPTS:
        ids, tokens, logprobs = m.bos + m.encode(prompt), [], []
        for _ in range(24):
            best = m.logits(ids + tokens)[-1].log_softmax(-1).topk(2)
            # Where two tokens are about equal, engines may differ in which is first.
            if best.values[0] - best.values[1] < 0.02 or int(best.indices[0]) == m.eos:
                break
            tokens.append(int(best.indices[0]))
            logprobs.append(float(best.values[0]))
        served = True
        p = m.logits(ids + tokens).log_softmax(-1)
        ggml = [float(p[len(ids) - 1 + i, t]) for i, t in enumerate(tokens)]
        served = False
        scores = {}
        for answer in ANSWERS:
            more = m.encode(answer) + [m.eos]
            p = m.logits(ids + more).log_softmax(-1)
            scores[answer] = float(sum(p[len(ids) - 1 + i, t] for i, t in enumerate(more)))
        out.append(dict(prompt=prompt, ids=ids, tokens=tokens, logprobs=logprobs, served=ggml, scores=scores))
    return out


def main(folder):
    torch.manual_seed(3)
    torch.set_num_threads(1)
    out = {}
    with torch.no_grad():
        for name, m in (("gemma2", Gemma2()), ("neox", NeoX())):
            m.save(folder + "/" + name)
            out[name] = reference(m)
    dump(folder + "/reference.json", out)


if __name__ == "__main__":
    main(sys.argv[1])
