"""What anndata reads, for the tests of package h5ad.

    reference.py dump FILE...   one JSON line for each element of each file
    reference.py make DIR       files that hold every encoding this anndata writes
    reference.py break DIR      damaged files, made with h5py
    reference.py foreign DIR    HDF5 files of other programs
    reference.py part DIR FILE...  every third cell and every second gene of each file,
                                   as anndata cuts and writes them
    reference.py bench FILE     a CSR matrix of 8 million values, gzip
    reference.py makeparts DIR  files to be joined
    reference.py concat CASE... what ad.concat makes of the files of a case, and what
                                lies in the file that is to hold the same (see concat)

A line has file, key, type and what the type needs; values are given as the SHA-256
of their canonical bytes: numbers as they lie in memory (little-endian, float16
as float32, complex as complex128), strings as their length in 8 bytes and their
UTF-8, a missing string as eight bytes of 0xff.
"""
import hashlib
import json
import shutil
import sys
import tempfile
import warnings

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.simplefilter("ignore")
import anndata as ad  # noqa: E402
from natsort import natsorted  # noqa: E402

try:
    from anndata.io import read_elem, write_elem
except ImportError:
    from anndata.experimental import read_elem, write_elem

FILE = None
PLAIN = False  # give columns as the texts of their values
MISSING = b"\xff" * 8


def numeric(a):
    """Canonical dtype name and array of numbers."""
    a = np.asarray(a)
    name = a.dtype.name
    if name.startswith("complex"):
        a = a.astype("<c16")
    elif name == "float16":
        a = a.astype("<f4")
    elif name in ("float128", "longdouble"):
        a = a.astype("<f8")
    return name, np.ascontiguousarray(a.astype(a.dtype.newbyteorder("<")))


def sha(b):
    return hashlib.sha256(b).hexdigest()


def text_bytes(values):
    out = bytearray()
    for v in values:
        if v is None or v is pd.NA or (isinstance(v, float) and v != v):
            out += MISSING
            continue
        b = v if isinstance(v, bytes) else str(v).encode()
        out += len(b).to_bytes(8, "little") + b
    return bytes(out)


def is_text(a):
    if isinstance(a.dtype, pd.api.extensions.ExtensionDtype):
        return isinstance(a.dtype, pd.StringDtype)
    return a.dtype.kind in "OSU" or type(a.dtype).__name__ == "StringDType"


def array(a):
    a = np.asarray(a) if not hasattr(a, "dtype") else a
    dims = list(a.shape)
    if is_text(a):
        flat = np.asarray(a, dtype=object).ravel()
        return dict(type="array", dtype="string", dims=dims, sha=sha(text_bytes(flat)), head=repr(list(flat[:4])))
    name, b = numeric(a)
    return dict(type="array", dtype=name, dims=dims, sha=sha(b.tobytes()), head=repr(list(np.ravel(b)[:4])))


def column(c):
    """A pandas Series, Index, Categorical or extension array."""
    v = c.array if isinstance(c, (pd.Series, pd.Index)) else c
    if PLAIN:
        return array(np.array([plain(x) for x in v], dtype=object))
    if isinstance(v, pd.Categorical):
        codes = v.codes.astype("<i8")
        return dict(type="categorical", ordered=bool(v.ordered), categories=array(np.asarray(v.categories)),
                    sha=sha(codes.tobytes()), head=repr(list(codes[:4])))
    if isinstance(v, (pd.arrays.IntegerArray, pd.arrays.BooleanArray)):
        mask = np.asarray(v._mask)
        data = np.where(mask, np.zeros(1, v._data.dtype), v._data)
        r = array(data)
        r.update(type="nullable", mask=sha(mask.tobytes()))
        return r
    if isinstance(v.dtype, pd.StringDtype):
        return array(np.asarray(v, dtype=object))
    return array(np.asarray(v))


def matrix(m):
    """Rows in their stored order; a dense matrix without its zeros."""
    if isinstance(m, np.ndarray):
        rows, cols = np.nonzero(m)
        kind, values = "array", m[rows, cols]
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=m.shape[0]))])
    else:
        kind = m.format + "_matrix"
        if m.format == "csc":
            m = m.tocsr()
        indptr, cols, values = m.indptr, m.indices, m.data
    name, values = numeric(values)
    if values.dtype == bool:
        values = values.astype("u1")
    return dict(type="matrix", encoding=kind, dims=list(m.shape), dtype=name, nnz=int(indptr[-1]),
                indptr=sha(np.asarray(indptr, "<i8").tobytes()), indices=sha(np.asarray(cols, "<i4").tobytes()),
                sha=sha(values.tobytes()), head=repr(list(values[:4])))


def emit(key, record):
    print(json.dumps(dict(file=FILE, key=key, **record)))


def frame(key, df):
    emit(key, dict(type="frame", rows=len(df), names=[str(c) for c in df.columns]))
    index = df.index
    emit(key + "/@index", array(np.asarray([str(x) for x in index], dtype=object)))
    for name in df.columns:
        emit(f"{key}/{name}", column(df[name]))


def element(key, e, f=None):
    if f is not None and isinstance(e, (bool, int, float, complex)):
        e = f[key][()]  # newer versions give a Python number: the file knows its type
    if e is None:
        emit(key, dict(type="null"))
    elif isinstance(e, pd.DataFrame):
        frame(key, e)
    elif isinstance(e, (pd.Categorical, pd.api.extensions.ExtensionArray)):
        emit(key, column(e))
    elif sp.issparse(e):
        emit(key, matrix(e))
    elif hasattr(e, "items"):
        emit(key, dict(type="mapping", names=sorted(map(str, e.keys()))))
        for k, v in sorted(e.items()):
            element(f"{key}/{k}", v, f)
    elif isinstance(e, h5py.Empty):
        emit(key, dict(type="null"))
    elif isinstance(e, (np.ndarray, np.generic)) and e.dtype.names:
        emit(key, dict(type="records", names=list(e.dtype.names)))
        for n in e.dtype.names:
            emit(f"{key}/{n}", array(e[n]))
    elif isinstance(e, (str, bytes)):
        emit(key, array(np.asarray(e, dtype=object)))
    else:
        emit(key, array(e))


def annotated(a, f=None, dtype=None):
    frame("/obs", a.obs)
    frame("/var", a.var)
    if a.X is not None:
        r = matrix(a.X)
        r["dtype"] = dtype or r["dtype"]
        emit("/X", r)
    if a.raw is not None:
        emit("/raw/X", matrix(a.raw.X))
        frame("/raw/var", a.raw.var)
    for k in a.layers.keys():
        emit(f"/layers/{k}", matrix(a.layers[k]))
    for part in ("obsm", "varm", "obsp", "varp", "uns"):
        element("/" + part, dict(getattr(a, part)), f)


def tenx(f):
    g = f["matrix"]
    features = g["features"]
    n, cells = g["shape"][:]
    m = sp.csr_matrix((g["data"][:], g["indices"][:], g["indptr"][:]), shape=(cells, n))
    genes = features["feature_type"][:] == b"Gene Expression"
    emit("/X", matrix(m if genes.all() else m[:, genes]))
    names = ["gene_ids", "feature_types", "genome"]
    emit("/obs", dict(type="frame", rows=int(cells), names=[]))
    emit("/obs/@index", array(g["barcodes"][:]))
    emit("/var", dict(type="frame", rows=int(genes.sum()), names=names))
    emit("/var/@index", array(features["name"][:][genes]))
    for name, member in zip(names, ("id", "feature_type", "genome")):
        emit("/var/" + name, array(features[member][:][genes]))
    for part in ("obsm", "varm", "obsp", "varp", "uns"):
        element("/" + part, {})


def dump(path):
    with h5py.File(path, "r") as f:
        if "matrix" in f:
            return tenx(f)
        if "mod" in f:
            names = list(f["mod"].attrs.get("mod-order", sorted(f["mod"])))
            g = f["mod"]["rna" if "rna" in names else names[0]]
            return annotated(read_elem(g), None)
        if "X/data" in f and (f["X/data"].dtype.byteorder == ">" or f["X/data"].dtype == "f2"):
            return other_numbers(path)
        annotated(ad.read_h5ad(path), f)


def dump_all(*paths):
    global FILE
    for FILE in paths:
        try:
            dump(FILE)
        except Exception as e:  # the test decides whether this may be
            emit("", dict(type="error", head=f"{type(e).__name__}: {e}"))


def other_numbers(path):
    """Newer SciPy refuses float16 and big-endian numbers, which anndata passes on."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(path, folder)
        with h5py.File(copy, "r+") as f:
            name = f["X/data"].dtype.name
            replace(f, "X/data", f["X/data"][:].astype("f4" if name == "float16" else "f8"))
            annotated(ad.read_h5ad(copy), f, name)


def make(folder):
    rng = np.random.default_rng(7)
    n, p = 23, 17

    def counts(dtype):
        x = rng.poisson(0.7, (n, p))
        x[3] = 0
        return x.astype(dtype)

    obs = pd.DataFrame({
        "label": pd.Categorical([None if i % 5 == 0 else "abc"[i % 3] for i in range(n)]),
        "stage": pd.Categorical([i % 4 for i in range(n)], ordered=True),
        "all_missing": pd.Categorical([None] * n),
        "half": rng.normal(size=n).astype("f2"), "single": rng.normal(size=n).astype("f4"), "double": rng.normal(size=n),
        "flag": rng.random(n) < 0.5, "int8": np.arange(n, dtype="i1") - 5, "uint64": np.full(n, 2**64 - 1, "u8"),
        "int64": np.full(n, 2**53 + 1), "text": [f"größe {i}" if i % 3 else "" for i in range(n)],
        "maybe_int": pd.array([None if i % 4 == 0 else i for i in range(n)], dtype="Int32"),
        "maybe_bool": pd.array([None if i % 4 == 0 else i % 2 == 0 for i in range(n)], dtype="boolean"),
    }, index=[f"cell {i}" for i in range(n)])
    obs.loc["cell 2", "double"] = np.nan
    var = pd.DataFrame(index=[f"gene{i}" for i in range(p)])
    uns = {
        "text": "one", "empty": "", "number": 3, "real": 2.5, "bool": True, "complex": np.complex128(1 + 2j),
        "list": np.array(["x", "yy", ""], dtype=object), "cube": np.arange(24, dtype="i2").reshape(2, 3, 4),
        "nested": {"deep": {"er": np.float32(1.5), "none": {}}},
        "records": np.array([(1, 2.5, "a"), (2, np.nan, "bé")], dtype=[("i", "i4"), ("f", "f8"), ("s", "O")]),
        "frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=["p", "q"]),
        "kinds": pd.Categorical(["u", "v", "u"]), "sparse": sp.random(5, 6, 0.4, "csc", random_state=1),
        "grid": np.array([["a", "b"], ["c", "d"]], dtype=object), "nothing": np.zeros((0, 3)),
    }
    for name, x in {
        "csr": sp.csr_matrix(counts("f4")), "csc": sp.csc_matrix(counts("f8")), "dense": counts("f4"),
        "csr_half": sp.csr_matrix(counts("f4")), "csr_u2": sp.csr_matrix(counts("u2")), "csc_i8": sp.csc_matrix(counts("i8")),
        "dense_bool": counts("?"), "dense_i1": counts("i1"), "none": None, "empty_csr": sp.csr_matrix((n, p), dtype="f4"),
    }.items():
        old = x is not None and ad.__version__.startswith("0.8.")  # which makes X float32 unless told
        a = ad.AnnData(X=x, obs=obs, var=var, uns=uns, **(dict(dtype=x.dtype) if old else {}))
        a.layers["csr"] = sp.csr_matrix(counts("i4"))
        a.layers["csc"] = sp.csc_matrix(counts("u1"))
        a.layers["dense"] = rng.normal(size=(n, p))
        a.obsm["X_pca"] = rng.normal(size=(n, 3)).astype("f4")
        a.obsm["frame"] = pd.DataFrame({"u": np.arange(n), "v": pd.Categorical(["k"] * n)}, index=obs.index)
        a.obsm["sparse"] = sp.random(n, 4, 0.5, "csr", random_state=2)
        a.varm["PCs"] = rng.normal(size=(p, 3))
        a.obsp["graph"] = sp.random(n, n, 0.2, "csr", random_state=3)
        a.varp["full"] = rng.normal(size=(p, p))
        if x is not None:
            a.raw = ad.AnnData(X=sp.csr_matrix(counts("f4")), obs=obs, var=var.assign(k=range(p)))
        path = f"{folder}/{name}.h5ad"
        if name == "csr":
            a.write_h5ad(path, compression="gzip")
        elif name == "dense":
            a.write_h5ad(path, compression="lzf")
        else:
            a.write_h5ad(path)
        with h5py.File(path, "r+") as f:
            if name == "csr_half":
                replace(f, "X/data", f["X/data"][:].astype("f2"))
                replace(f, "X/indices", f["X/indices"][:].astype("u1"))
                replace(f, "X/indptr", f["X/indptr"][:].astype("i8"))
            if name == "csr_u2":  # rows whose columns are not sorted
                ptr, ix, v = f["X/indptr"][:], f["X/indices"][:], f["X/data"][:]
                for i in range(n):
                    ix[ptr[i]:ptr[i + 1]], v[ptr[i]:ptr[i + 1]] = ix[ptr[i]:ptr[i + 1]][::-1], v[ptr[i]:ptr[i + 1]][::-1]
                f["X/indices"][:], f["X/data"][:] = ix, v
            if name == "dense":
                replace(f, "X", f["X"][:], chunks=(5, 7), compression="gzip", shuffle=True)
            if name == "csc":  # a big-endian matrix, and a frame whose index has a name of its own
                replace(f, "X/data", f["X/data"][:].astype(">f8"))
                f["var"].move("_index", "symbol")
                f["var"].attrs["_index"] = "symbol"


def replace(f, key, value, **how):
    attrs = dict(f[key].attrs)
    del f[key]
    d = f.create_dataset(key, data=value, **how)
    for k, v in attrs.items():
        d.attrs[k] = v


def damage(folder):
    """Each file has one defect; the first is sound."""
    def base(name, change=lambda f: None, x=sp.csr_matrix):
        path = f"{folder}/{name}.h5ad"
        m = x(np.array([[1, 0, 2], [0, 0, 3], [4, 5, 0], [0, 0, 0]], "f4"))
        obs = pd.DataFrame({"kind": pd.Categorical(list("aabb")), "n": np.arange(4)}, index=list("wxyz"))
        var = pd.DataFrame(index=["g1", "g2", "g3"])
        ad.AnnData(X=m, obs=obs, var=var).write_h5ad(path)
        with h5py.File(path, "r+") as f:
            change(f)

    def put(key, value):
        return lambda f: replace(f, key, value)

    def assign(key, at, value):
        def change(f):
            f[key][at] = value
        return change

    def order(names):
        def change(f):
            f["obs"].attrs["column-order"] = names
        return change

    def strange(f):
        f["obs/n"].attrs["encoding-type"] = "future-thing"
        g = f["uns"].create_group("odd")
        g.attrs["encoding-type"], g.attrs["encoding-version"] = "future-thing", "9.0"

    base("sound")
    base("indptr_huge", put("X/indptr", np.array([0, 2, 3, 2**62, 2**62])))
    base("csc_row_too_large", assign("X/indices", 0, 4), sp.csc_matrix)
    base("csc_row_twice", assign("X/indices", 1, 0), sp.csc_matrix)
    base("column_short", put("obs/n", np.arange(3)))
    base("column_not_there", order(["kind", "n", "gone"]))
    base("encoding_unknown", strange)

    def vast(f):
        """A matrix that claims 2^40 values of which none were written."""
        for k, t in (("data", "f4"), ("indices", "i4")):
            del f["X/" + k]
            f["X"].create_dataset(k, shape=(2**40,), dtype=t, chunks=(2**20,))
        replace(f, "X/indptr", np.array([0, 2**40, 2**40, 2**40, 2**40]))

    def vast_frame(f):
        """2^40 cells in a table of which no chunk was written."""
        for k in ("_index", "n"):
            del f["obs/" + k]
            f["obs"].create_dataset(k, shape=(2**40,), dtype="i8", chunks=(2**20,))
        del f["X"]
        f.create_dataset("X", shape=(2**40, 3), dtype="f4", chunks=(2**20, 3))

    base("vast", vast)
    base("vast_frame", vast_frame)


def foreign(folder):
    """The least that tells these formats apart, and two 10x files of version 2."""
    for name, members in {
        "cells.loom": ["matrix", "row_attrs/Gene", "col_attrs/CellID"],
        "cells.h5seurat": ["assays/RNA/counts", "meta.data/n", "cell.names"],
        "molecule_info.h5": ["barcode_idx", "umi", "count", "features/id"],
        "other.h5": ["weights"],
    }.items():
        with h5py.File(f"{folder}/{name}", "w") as f:
            for m in members:
                f[m] = np.zeros(3)
    for name, genomes in (("one.h5", ["GRCh38"]), ("two.h5", ["GRCh38", "mm10"])):
        with h5py.File(f"{folder}/{name}", "w") as f:
            for genome in genomes:
                g = f.create_group(genome)
                for key, value in dict(
                    barcodes=[b"AAA-1", b"CCC-1"], genes=[b"ENSG1", b"ENSG2", b"ENSG3"], gene_names=[b"A", b"B", b"A"],
                    data=[5, 1, 7], indices=[2, 0, 1], indptr=[0, 2, 3], shape=[3, 2],
                ).items():
                    g[key] = np.asarray(value)


def bench(path):
    rng = np.random.default_rng(1)
    n, p, each = 4000, 20000, 2000
    indices = np.sort(np.argsort(rng.random((n, p), dtype="f4"), axis=1)[:, :each].astype("i4"), axis=1)
    data = rng.geometric(0.5, n * each).astype("f4")
    x = sp.csr_matrix((data, indices.ravel(), np.arange(n + 1) * each), shape=(n, p))
    obs, var = pd.DataFrame(index=map(str, range(n))), pd.DataFrame(index=map(str, range(p)))
    ad.AnnData(X=x, obs=obs, var=var).write_h5ad(path, compression="gzip")


def part(folder, *paths):
    for path in paths:
        a = ad.read_h5ad(path)
        if "complex" in a.uns:  # which cannot be written; a float32 scalar would become float64
            del a.uns["complex"], a.uns["nested"]
        a[::3, 1::2].copy().write_h5ad(f"{folder}/{path.split('/')[-1]}")


def makeparts(folder):
    rng = np.random.default_rng(3)
    all_genes = [f"g{i}" for i in range(20)]
    sets = {"a": all_genes[:14], "b": all_genes[12:3:-1] + ["extra", "g18"], "c": all_genes[2:16], "a2": all_genes[:14]}

    def matrix(kind, n, p, dtype):
        x = rng.poisson(0.6, (n, p)).astype(dtype)
        return x if kind == "dense" else sp.csr_matrix(x) if kind == "csr" else sp.csc_matrix(x)

    def file(name, genes, n, kind, dtype, obs, extra):
        p = len(sets[genes])
        obs = pd.DataFrame(obs, index=[f"{name}{i}" for i in range(n - 1)] + ["shared"])
        k = np.array([int("".join(c for c in g if c.isdigit()) or 0) for g in sets[genes]])
        var = pd.DataFrame({
            "same": k, "real": k / 4, "flag": k % 2 == 0, "text": [f"t{i}" for i in k], "kind": pd.Categorical([f"k{i % 3}" for i in k]),
            "differs": rng.normal(size=p), "maybe": pd.array([None if i % 3 == 0 else i for i in k], dtype="Int16"),
            "single": k.astype("f4"), "small": k.astype("i1"), f"only_{genes[0]}": k,
        }, index=sets[genes])
        old = ad.__version__.startswith("0.8.")
        a = ad.AnnData(X=matrix(kind, n, p, dtype), obs=obs, var=var, **(dict(dtype=dtype) if old else {}))
        a.layers["counts"] = matrix("csr", n, p, "i4")
        a.layers["dense"] = matrix("dense", n, p, "f4")
        a.layers["whole"] = matrix("dense", n, p, "i2")
        a.obsm["X_pca"] = rng.normal(size=(n, 2 + len(name))).astype("f4")
        a.obsm["sparse"] = sp.random(n, 5 - n % 2, 0.5, "csr", random_state=2)
        a.obsm["cube"] = rng.normal(size=(n, 2, 3))
        a.obsm["frame"] = pd.DataFrame({"u": np.arange(n), "v": pd.Categorical([name] * n), name: rng.normal(size=n)}, index=obs.index)
        a.varm["same"] = np.stack([k, -k], 1).astype("f8")
        a.varm["whole"] = np.stack([k, -k], 1)
        a.varm["differs"] = rng.normal(size=(p, 2))
        a.obsp["graph"] = sp.random(n, n, 0.2, "csr", random_state=3)
        a.uns["note"] = name
        if "raw" in extra:
            a.raw = ad.AnnData(X=matrix("csr", n, p + 1, "f4"), obs=obs, var=pd.DataFrame({"r": 1}, index=["r0", *sets[genes]]))
        if "only" in extra:
            a.layers["once"] = matrix("csr", n, p, "i4")
            a.layers["once_dense"] = matrix("dense", n, p, "i4")
            a.obsm["once"] = rng.integers(9, size=(n, 3))
            a.obsm["once_frame"] = pd.DataFrame({"flag": np.arange(n) % 2 == 0}, index=obs.index)
            a.varm["once"] = rng.normal(size=(p, 1))
        a.write_h5ad(f"{folder}/{name}.h5ad", **(dict(compression="gzip") if "gzip" in extra else {}))

    def columns(n, i):
        r = np.arange(n)
        maybe = lambda t: pd.array([None if k % 4 == i else k + i for k in r], dtype=t)
        cycle = lambda s: [s[k % len(s)] for k in r]
        c = {
            "kind": pd.Categorical(cycle([["c10", "c2"], ["c1", "c2", "zz"], ["c2", "a"]][i])),
            "same": pd.Categorical(cycle("ab"), categories=["b", "a"]),
            "permuted": pd.Categorical(cycle("ab"), categories=list(["ab", "ba", "ab"][i])),
            "gaps": pd.Categorical([None if k % 3 == 0 else "xy"[k % 2] for k in r]),
            "ordered": pd.Categorical(cycle(["lo", "hi"]), categories=["lo", "hi"], ordered=True),
            "ordered_other": pd.Categorical(cycle(["lo", "hi"]), categories=["lo", "hi"] if i else ["lo", "mid", "hi"], ordered=True),
            "half_ordered": pd.Categorical(cycle(["lo", "hi"]), ordered=i == 0),
            "numbers": pd.Categorical(r * 3 % (5 + i)),
            "reals": pd.Categorical((r * 3 % (5 + i)) / 2) if i else pd.Categorical(r % 3),
            "nothing": pd.Categorical([None] * n),
            "half_nothing": pd.Categorical([None] * n) if i else pd.Categorical(cycle("pq")),
            "kind_or_text": pd.Categorical(cycle("ab")) if i else np.array(cycle(["a", "cc"]), dtype=object),
            "text": np.array([f"größe {k % (n - 1)}" for k in r], dtype=object),
            "flag": r % 2 == i % 2, "flag_or_int": r % 2 == 0 if i else r, "maybe_flag": pd.array([None if k == i else k % 2 == 0 for k in r], dtype="boolean"),
            "flag_or_maybe": pd.array([None if k == 1 else k % 2 == 0 for k in r], dtype="boolean") if i else r % 2 == 0,
            "ints": r.astype(["i1", "i2", "u1"][i]), "wide": r.astype(["i8", "u8", "i4"][i]), "mixed": r.astype(["u2", "f4", "i1"][i]), "real": (r / 3).astype(["f8", "f4", "f4"][i]),
            "single": r.astype("f4"), "maybe": maybe("Int32"), "maybe_wide": maybe("Int8") if i else r, "maybe_real": maybe("UInt8") if i else r / 2,
            "text_or_nothing": np.array(cycle(["u", "v", "10", "9"]), dtype=object) if i == 0 else np.full(n, np.nan),
            "kind_or_nothing": pd.Categorical(cycle(["u", "v"])) if i == 0 else np.full(n, np.nan),
        }
        if i == 0:
            for k in ["kind", "ordered", "numbers", "text", "flag", "maybe_flag", "ints", "single", "real", "maybe", "gaps"]:
                c["a_" + k] = c[k]
        return c

    file("csr_a", "a", 9, "csr", "f4", columns(9, 0), {"raw", "only", "gzip"})
    file("csr_b", "b", 7, "csr", "f4", columns(7, 1), {"raw"})
    file("csr_c", "c", 6, "csr", "f8", columns(6, 2), {})
    file("csc_b", "b", 7, "csc", "i4", columns(7, 1), {"raw"})
    file("dense_a", "a", 9, "dense", "f4", columns(9, 0), {"only"})
    file("dense_b", "b", 7, "dense", "i2", columns(7, 1), {"gzip"})
    file("dense_a2", "a2", 6, "dense", "f8", columns(6, 2), {})
    file("csr_a2", "a2", 6, "csr", "i8", columns(6, 2), {"raw"})


def plain(x):
    """The text of a value of any type, None where it is missing."""
    if x is None or x is pd.NA or x != x:
        return None
    return x if isinstance(x, str) else repr(float(x))


def settled(df):
    """Columns as a file can hold them: what anndata makes of strings with gaps when it
    writes; booleans with gaps, and floats with a mask, which it cannot write."""
    for name in df.columns:
        v = df[name]
        if isinstance(v.array, pd.arrays.FloatingArray):
            df[name] = v.astype("f8")
        kind = pd.api.types.infer_dtype(v, skipna=True) if v.dtype == object and v.isna().any() else ""
        if kind == "boolean":
            df[name] = v.astype("boolean")
        elif kind == "string":
            c = pd.Categorical(v)
            df[name] = c.reorder_categories(natsorted(c.categories))
    return df


def concat(*cases):
    """A case is JSON: name, files, options of ad.concat, and out, the file to compare.
    Rows of sparse matrices are sorted and their zeros left out. Older versions do not
    unify types, so that only the values of columns are compared there."""
    global FILE, PLAIN
    PLAIN = tuple(map(int, ad.__version__.split(".")[:2])) < (0, 10)
    read = {}
    for case in map(json.loads, cases):
        for side in ("want", "got"):
            FILE = f"{side} {case['name']}"
            try:
                if side == "got":
                    a = ad.read_h5ad(case["out"])
                    if PLAIN:
                        a.obsm.pop("once_frame", None)
                else:
                    for path in case["files"]:
                        if path not in read:
                            read[path] = ad.read_h5ad(path)
                            if PLAIN:  # where outer joins of frames that a file lacks fail
                                read[path].obsm.pop("once_frame", None)
                    a = ad.concat([read[path] for path in case["files"]], **case["options"])
                    a.obs, a.var = settled(a.obs), settled(a.var)
                    a.varp.clear()  # only arrays of varm are merged here
                    for k in [k for k, m in a.varm.items() if not isinstance(m, np.ndarray)]:
                        del a.varm[k]
                for name, m in [("X", a.X), *a.layers.items(), *a.obsm.items()]:
                    if sp.issparse(m):
                        m.sort_indices()
                        m.eliminate_zeros()
                    elif isinstance(m, pd.DataFrame):
                        a.obsm[name] = settled(m)
                if a.raw is not None and sp.issparse(a.raw.X):
                    a.raw.X.sort_indices()
                    a.raw.X.eliminate_zeros()
                annotated(a)
            except Exception as e:  # the test decides whether this may be
                emit("", dict(type="error", head=f"{type(e).__name__}: {e}"))


if __name__ == "__main__":
    {"concat": concat, "makeparts": makeparts, "part": part, "dump": dump_all, "make": make, "break": damage, "foreign": foreign, "bench": bench}[sys.argv[1]](*sys.argv[2:])
