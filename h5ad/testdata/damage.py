"""Writes small AnnData files with one planted damage each into a folder: damage.py DIR."""
import os, sys
import h5py, numpy as np

out = sys.argv[1]

def base(name, change):
    with h5py.File(os.path.join(out, name + ".h5ad"), "w") as f:
        f.attrs["encoding-type"] = "anndata"; f.attrs["encoding-version"] = "0.1.0"
        x = f.create_group("X"); x.attrs["encoding-type"] = "csr_matrix"; x.attrs["encoding-version"] = "0.1.0"
        x.attrs["shape"] = np.array([3, 4])
        x["data"] = np.array([1, 2, 3, 4, 5], "f4"); x["indices"] = np.array([0, 3, 1, 2, 0], "i4"); x["indptr"] = np.array([0, 2, 4, 5], "i4")
        for part, n in (("obs", 3), ("var", 4)):
            g = f.create_group(part); g.attrs["encoding-type"] = "dataframe"; g.attrs["encoding-version"] = "0.2.0"
            g.attrs["_index"] = "_index"; g.attrs["column-order"] = np.array(["kind"], dtype=h5py.string_dtype())
            g.create_dataset("_index", data=[f"{part}{i}" for i in range(n)], dtype=h5py.string_dtype())
            k = g.create_group("kind"); k.attrs["encoding-type"] = "categorical"; k.attrs["encoding-version"] = "0.2.0"; k.attrs["ordered"] = False
            k["codes"] = np.zeros(n, "i1"); k.create_dataset("categories", data=["a"], dtype=h5py.string_dtype())
        change(f)

def put(path, value):
    def change(f): del f[path]; f[path] = value
    return change

def shape(v):
    def change(f): f["X"].attrs["shape"] = np.array(v)
    return change

def drop(path):
    def change(f): del f[path]
    return change

def attr(path, name, value):
    def change(f):
        if value is None: del f[path].attrs[name]
        else: f[path].attrs[name] = value
    return change

base("good", lambda f: None)
base("index_beyond", put("X/indices", np.array([0, 4, 1, 2, 0], "i4")))
base("index_negative", put("X/indices", np.array([0, -1, 1, 2, 0], "i4")))
base("index_huge", put("X/indices", np.array([0, 2**40, 1, 2, 0], "i8")))
base("index_twice", put("X/indices", np.array([3, 3, 1, 2, 0], "i4")))
base("index_float", put("X/indices", np.array([0, 3, 1, 2, 0], "f4")))
base("indptr_falls", put("X/indptr", np.array([0, 4, 2, 5], "i4")))
base("indptr_start", put("X/indptr", np.array([1, 2, 4, 5], "i4")))
base("indptr_beyond", put("X/indptr", np.array([0, 2, 4, 9], "i4")))
base("indptr_short", put("X/indptr", np.array([0, 2, 5], "i4")))
base("data_short", put("X/data", np.array([1, 2, 3], "f4")))
base("data_text", put("X/data", np.array([b"a"] * 5)))
base("shape_rows", shape([4, 4]))
base("shape_columns", shape([3, 9]))
base("shape_missing", attr("X", "shape", None))
base("shape_negative", shape([-3, 4]))
base("no_data", drop("X/data"))
base("no_obs_index", drop("obs/_index"))
base("no_index_attr", attr("obs", "_index", None))
base("codes_beyond", put("obs/kind/codes", np.array([0, 1, 0], "i1")))
base("codes_below", put("obs/kind/codes", np.array([0, -2, 0], "i1")))
base("codes_short", put("obs/kind/codes", np.array([0, 0], "i1")))
base("column_missing", drop("obs/kind"))
base("no_var", drop("var"))
