"""Writes an AnnData file with many elements, changes one thing at a time, and asks
anndata whether it still opens: validate.py DIR STEP. One JSON line a file; all but
every STEP-th change are left out."""
import json, os, shutil, sys, warnings

warnings.simplefilter("ignore")
import anndata, h5py, numpy as np, pandas as pd
from scipy import sparse

out = sys.argv[1]
rng = np.random.default_rng(1)
obs = pd.DataFrame({"kind": pd.Categorical(["a", "b", None, "a"]), "n": pd.array([1, 2, None, 4], dtype="Int64"),
    "ok": pd.array([True, None, False, True], dtype="boolean"), "score": [1.5, 2.5, 3.5, 4.5], "name": ["p", "q", "r", "s"], "flag": [True, False, True, False]},
    index=["c0", "c1", "c2", "c3"])
x = sparse.csr_matrix(np.array([[1, 0, 2], [0, 3, 0], [0, 0, 0], [4, 0, 5]], "f4"))
base = anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=["g0", "g1", "g2"]))
base.layers["csc"] = x.tocsc()
base.layers["dense"] = x.toarray()
base.obsm["X_pca"] = rng.random((4, 2))
base.obsm["frame"] = pd.DataFrame({"a": [1.0, 2, 3, 4]}, index=obs.index)
base.obsm["sparse"] = x
base.varm["PCs"] = rng.random((3, 2))
base.obsp["graph"] = sparse.csr_matrix(np.eye(4))
base.varp["dense"] = np.eye(3)
base.raw = base.copy()
base.uns.update(title="a title", one=1.5, deep={"er": {"list": np.array(["x", "y"])}}, rec=np.array([(1, "a")], dtype=[("n", "i4"), ("s", "O")]), table=pd.DataFrame({"a": [1]}))
first = os.path.join(out, "first.h5ad")
base.strings_to_categoricals = lambda *a: None
base.write_h5ad(first, convert_strings_to_categoricals=False)

names = []
with h5py.File(first) as f:
    f.visititems(lambda name, o: names.append((name, isinstance(o, h5py.Dataset), o.dtype.kind if isinstance(o, h5py.Dataset) else "", o.shape if isinstance(o, h5py.Dataset) else None, list(o.attrs))))
    root = list(f.attrs)

changes = [("nothing", lambda f: None)]
def change(label, fn): changes.append((label, fn))
def put(name, value):
    def fn(f):
        attrs = dict(f[name].attrs); del f[name]; f[name] = value
        for k, v in attrs.items(): f[name].attrs[k] = v
    return fn
def attr(name, key, value):
    def fn(f):
        del f[name].attrs[key]
        if value is not None: f[name].attrs[key] = value
    return fn
def delete(name): return lambda f: f.__delitem__(name)
def group(name):
    def fn(f):
        attrs = dict(f[name].attrs); del f[name]; g = f.create_group(name)
        for k, v in attrs.items(): g.attrs[k] = v
    return fn
def link(name):
    def fn(f): del f[name]; f[name] = h5py.SoftLink("/nowhere")
    return fn

for name, is_data, kind, shape, attrs in names + [("/", False, "", None, root)]:
    for key in attrs:
        for label, v in (("gone", None), ("3", 3), ("1.5", 1.5), ("odd", "odd"), ("list", np.array(["array"], dtype=h5py.string_dtype())), ("empty", h5py.Empty("f4"))):
            change(f"{name}@{key} {label}", attr(name, key, v))
    if name == "/": continue
    change(f"{name} gone", delete(name))
    change(f"{name} dangling", link(name))
    if not is_data: change(f"{name} as a number", put(name, 1)); continue
    change(f"{name} as a group", group(name))
    change(f"{name} as a scalar", put(name, 1))
    change(f"{name} as text", put(name, np.full(shape, b"text")))
    change(f"{name} as text of variable length", put(name, np.array(np.full(shape, "text"), dtype=object)))
    if shape:
        change(f"{name} empty", put(name, np.zeros((0,) + shape[1:], kind if kind in "ifub" else "i4")))
        change(f"{name} deeper", put(name, np.zeros(shape + (1,), "i4")))
        change(f"{name} longer", put(name, np.zeros((shape[0] + 1,) + shape[1:], "i1")))
        change(f"{name} bytes", put(name, np.array([b"\xff\xfe"] * shape[0])))
    if kind in "iuf":
        change(f"{name} negative", put(name, np.full(shape, -7)))
        change(f"{name} large", put(name, np.full(shape, 7)))
        change(f"{name} nan", put(name, np.full(shape, np.nan)))
        change(f"{name} bools", put(name, np.ones(shape, bool)))
for key in ("obs", "X", "uns", "layers", "raw"):
    change(f"{key}/extra", lambda f, key=key: f[key].create_dataset("extra", data=1.0))
change("extra", lambda f: f.create_dataset("extra", data=np.ones(4)))

for i, (label, fn) in list(enumerate(changes))[::int(sys.argv[2])]:
    path = os.path.join(out, f"{i}.h5ad")
    shutil.copyfile(first, path)
    with h5py.File(path, "r+") as f: fn(f)
    try:
        anndata.read_h5ad(path); error = ""
    except Exception as e:
        error = f"{type(e).__name__}: {e}".replace("\n", " ")[:300]
    print(json.dumps({"file": path, "change": label, "error": error}))
