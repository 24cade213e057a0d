"""Reads every file of a folder of pairs with datasets; verl's are also held against the
types that its preprocessing scripts write. Prints a line a file."""
import json
import pathlib
import sys

import datasets
import pyarrow.parquet as pq

root, cache = pathlib.Path(sys.argv[1]), sys.argv[2]
datasets.disable_progress_bars()
first = "Before: A B.\nAfter \"IFN-β\":"

for path in sorted(root.rglob("*")):
    if path.suffix not in (".jsonl", ".parquet"):
        continue
    kind = "json" if path.suffix == ".jsonl" else "parquet"
    data = datasets.load_dataset(kind, data_files=str(path), split="train", cache_dir=cache)
    name = path.relative_to(root).as_posix()
    rewarded = any(part in name for part in ("grpo", "rl_", "verl"))
    expected = 1 if "test" in name else 2 if rewarded else 3
    assert len(data) == expected, (name, len(data))
    row = data[0]
    if "test" not in name:
        text = {
            "trl": lambda r: r["prompt"], "openrlhf": lambda r: r["input"], "axolotl": lambda r: r["segments"][0]["text"],
            "llama-factory": lambda r: r["instruction"], "table": lambda r: r["model_input"], "verl": lambda r: r["prompt"][0]["content"],
        }[name.split("/")[0]](row)
        assert text == first, (name, text)
    if name.startswith("verl"):
        types = {f.name: str(f.type) for f in pq.read_schema(path)}
        assert types == {
            "data_source": "string", "ability": "string",
            "prompt": "list<element: struct<role: string not null, content: string not null> not null>",
            "reward_model": "struct<style: string, ground_truth: string>",
            "extra_info": "struct<index: int64, split: string, answer: string>",
        }, types
        assert row["prompt"][0]["role"] == "user" and row["reward_model"]["style"] == "rule" and row["extra_info"]["index"] >= 0
        truth = json.loads(row["reward_model"]["ground_truth"])
        assert truth["control"] == "A B" and len(truth["real"]) == 2, truth
    print("ok", name)
