#!/usr/bin/env bash
# Converting a synthetic Gemma-2 checkpoint of 5.2 GB (the sizes of the model of
# two billion parameters, BF16 in two shards, 256,000 words) to GGUF by c2s model
# import: time and largest memory, which is to stay below 300 MB.
#
#   bench/import.sh WORKDIR        needs python3 and 11 GB of disk
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(realpath -m "${1:?usage: bench/import.sh WORKDIR}")
mkdir -p "$dir"
[ -e "$dir/model/ready" ] || python3 - "$dir/model" <<'EOS'
import json, os, random, struct, sys

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
V, D, L, H, KV, HD, FF = 256000, 2304, 26, 8, 4, 256, 9216
config = dict(
    architectures=["Gemma2ForCausalLM"], model_type="gemma2", vocab_size=V, hidden_size=D, num_hidden_layers=L, intermediate_size=FF,
    num_attention_heads=H, num_key_value_heads=KV, head_dim=HD, rms_norm_eps=1e-6, max_position_embeddings=8192, sliding_window=4096,
    query_pre_attn_scalar=256, attn_logit_softcapping=50.0, final_logit_softcapping=30.0, hidden_activation="gelu_pytorch_tanh",
    bos_token_id=2, eos_token_id=1, pad_token_id=0, torch_dtype="bfloat16")
json.dump(config, open(out + "/config.json", "w"))

def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

def piece(text, score, kind):
    body = b"\x0a" + varint(len(text)) + text + b"\x15" + struct.pack("<f", score) + bytes([3 << 3, kind])
    return b"\x0a" + varint(len(body)) + body

special = [(b"<pad>", 3), (b"<eos>", 3), (b"<bos>", 3), (b"<unk>", 2)] + [(b"<0x%02X>" % i, 6) for i in range(256)]
with open(out + "/tokenizer.model", "wb") as f:
    for text, kind in special:
        f.write(piece(text, 0, kind))
    for i in range(len(special), V):
        f.write(piece(b"word%06d" % i, -float(i), 1))

tensors = {"model.embed_tokens.weight": [V, D], "model.norm.weight": [D]}
for i in range(L):
    p = "model.layers.%d." % i
    for n in "input_layernorm post_attention_layernorm pre_feedforward_layernorm post_feedforward_layernorm".split():
        tensors[p + n + ".weight"] = [D]
    for n, rows, cols in (
        ("self_attn.q_proj", H * HD, D), ("self_attn.k_proj", KV * HD, D), ("self_attn.v_proj", KV * HD, D), ("self_attn.o_proj", D, H * HD),
        ("mlp.gate_proj", FF, D), ("mlp.up_proj", FF, D), ("mlp.down_proj", D, FF)):
        tensors[p + n + ".weight"] = [rows, cols]

# Numbers between 2^-8 and 1 of either sign, the same megabytes again and again.
r = random.Random(1)
block = b"".join(struct.pack("<H", r.getrandbits(1) << 15 | r.randrange(119 << 7, 127 << 7)) for _ in range(8 << 20))
index = {}
names = list(tensors)
for shard, part in enumerate((names[:len(names) // 3], names[len(names) // 3:]), 1):
    file = "model-%05d-of-00002.safetensors" % shard
    head, at = {"__metadata__": {"format": "pt"}}, 0
    for n in part:
        size = 2
        for d in tensors[n]:
            size *= d
        head[n] = dict(dtype="BF16", shape=tensors[n], data_offsets=[at, at + size])
        at += size
        index[n] = file
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(out + "/" + file, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        while at > 0:
            f.write(block[:at])
            at -= len(block)
json.dump(dict(metadata=dict(total_size=0), weight_map=index), open(out + "/model.safetensors.index.json", "w"))
open(out + "/ready", "w").close()
EOS
du -shL --apparent-size "$dir/model"
go build -o "$dir/c2s" ./cmd/c2s
for type in as-is f16 q8_0; do
  echo "$type:"
  quantize=()
  if [ "$type" != as-is ]; then quantize=(--quantize "$type"); fi
  /usr/bin/time -f '  %e s wall, %U s user, %S s system, %M KiB at most' \
    "$dir/c2s" model import "$dir/model" --name synthetic-2b -o "$dir/out.gguf" --force --progress never "${quantize[@]}"
  ls -l --block-size=1 "$dir/out.gguf" | awk '{print "  " $5, "bytes of GGUF"}'
done
