"""Reads a dataset with pyarrow, DuckDB and Hugging Face datasets.

usage: readers.py check DIR   DIR holds rows.json, x.parquet, x.arrow, x.jsonl and x.hf/;
                              every reader must see the rows of rows.json
       readers.py vectors DIR writes lists of numbers in *.parquet and their numbers in
                              DIR/vectors.json
       readers.py make DIR    writes DIR/*.parquet, *.arrow and *.hf with other writers and
                              DIR/rows.json with what they hold
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import datasets
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

datasets.disable_progress_bars()


def check(folder):
    path = lambda name: os.path.join(folder, name)
    with open(path("rows.json")) as f:
        want = json.load(f)
    cache = path("cache")
    relation = duckdb.sql(f"select * from '{path('x.parquet')}'")
    seen = {
        "pyarrow parquet": pq.read_table(path("x.parquet")).to_pylist(),
        "pyarrow arrow": pa.ipc.open_file(path("x.arrow")).read_all().to_pylist(),
        "datasets parquet": datasets.load_dataset("parquet", data_files=path("x.parquet"), split="train", cache_dir=cache).to_list(),
        "datasets json": datasets.load_dataset("json", data_files=path("x.jsonl"), split="train", cache_dir=cache).to_list(),
        "datasets disk": datasets.load_from_disk(path("x.hf")).to_list(),
        "duckdb parquet": [dict(zip(relation.columns, row)) for row in relation.fetchall()],
        "duckdb text": duckdb.sql(
            f"select count(*) from '{path('x.parquet')}' where array_to_string(string_split(cell_sentence, ' '), ' ') = cell_sentence"
        ).fetchall()[0][0],
    }
    assert seen.pop("duckdb text") == len(want)
    for name, rows in seen.items():
        assert len(rows) == len(want), (name, len(rows), len(want))
        for i, (a, b) in enumerate(zip(rows, want)):
            assert a == b, (name, i, a, b)
    schema = pq.read_schema(path("x.parquet"))
    kinds = {f.name: str(f.type) for f in schema}
    dictionary = "dictionary<values=string, indices=int32, ordered=0>"
    assert kinds["cell_type"] == dictionary and kinds["cell_sentence"] == "string", kinds
    assert kinds["age"] == "int64" and kinds["doublet"] == "bool" and kinds["score"] == "double", kinds
    features = datasets.load_from_disk(path("x.hf")).features
    assert features["cell_type"].dtype == "string" and features["c2s_total"].dtype == "float64", features
    print("pyarrow", pa.__version__, "duckdb", duckdb.__version__, "datasets", datasets.__version__)


def vectors(folder):
    n, d = 3000, 37
    x = [((7 * i) % 2001 - 1000) / 64 for i in range(n * d)]  # float16 holds them all
    x[:3] = [6.103515625e-05, 5.9604644775390625e-08, -65504.0]  # and its extremes
    rows = [x[i * d : (i + 1) * d] for i in range(n)]
    columns = {
        "f16": pa.array(rows, pa.list_(pa.float16())),
        "f32": pa.array(rows, pa.list_(pa.float32())),
        "f64": pa.array(rows, pa.list_(pa.float64())),
        "large": pa.array(rows, pa.large_list(pa.float32())),
        "fixed": pa.array(rows, pa.list_(pa.float32(), d)),
    }
    table = pa.table(columns | {"name": [f"cell-{i}" for i in range(n)]})
    path = lambda name: os.path.join(folder, name)
    pq.write_table(table, path("a.parquet"), row_group_size=1000)
    pq.write_table(table, path("b.parquet"), compression="zstd", data_page_version="2.0", data_page_size=5000)
    pq.write_table(table, path("c.parquet"), compression="gzip", use_dictionary=False, data_page_size=1000)
    pq.write_table(table, path("split.parquet"), compression="none", use_dictionary=False, column_encoding={
        f"{name}.list.element": "BYTE_STREAM_SPLIT" for name in columns if name != "f16"})
    with open(path("vectors.json"), "w") as f:
        json.dump({name: x for name in columns}, f)


def make(folder):
    n = 10_000
    rows = pa.table({
        "cell_name": [f"cell-{i}" for i in range(n)],
        "cell_sentence": [f"GENE{i} CD3D" for i in range(n)],
        "cell_type": pa.array([None if i % 5 == 0 else f"type {i % 3}" for i in range(n)]).dictionary_encode(),
        "large": pa.array([f"é{i % 50}" for i in range(n)], pa.large_string()),
        "small": pa.array([i % 100 for i in range(n)], pa.int8()),
        "half": pa.array([i / 2 for i in range(n)], pa.float32()),
        "flag": [None if i % 7 == 0 else i % 2 == 0 for i in range(n)],
        "list": [[i] for i in range(n)],
    })
    for name, options in {
        "snappy": {}, "zstd": {"compression": "zstd", "data_page_version": "2.0"},
        "gzip": {"compression": "gzip", "use_dictionary": False, "row_group_size": 3000},
        "none": {"compression": "none", "store_schema": False, "data_page_size": 2000},
        "delta": {"use_dictionary": False, "column_encoding": {
            "cell_name": "DELTA_BYTE_ARRAY", "cell_sentence": "DELTA_LENGTH_BYTE_ARRAY", "small": "DELTA_BINARY_PACKED"}},
    }.items():
        pq.write_table(rows, os.path.join(folder, name + ".parquet"), **options)
    duckdb.sql(f"copy (select * from rows) to '{folder}/duckdb.parquet' (format parquet, compression zstd)")
    plain = rows.set_column(2, "cell_type", rows["cell_type"].cast(pa.string()))
    with pa.ipc.new_stream(os.path.join(folder, "stream.arrow"), rows.schema) as w:
        w.write_table(rows, max_chunksize=1500)
    with pa.ipc.new_file(os.path.join(folder, "file.arrow"), rows.schema) as w:
        w.write_table(rows, max_chunksize=1500)
    datasets.Dataset(plain).save_to_disk(os.path.join(folder, "saved.hf"), num_shards=3)
    with open(os.path.join(folder, "rows.json"), "w") as f:
        json.dump(rows.drop_columns(["list"]).to_pylist(), f)


{"check": check, "vectors": vectors, "make": make}[sys.argv[1]](sys.argv[2])
