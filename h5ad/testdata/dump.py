"""Prints what anndata reads from a file, a line an element: path TAB hash of its canonical values.

Numbers are little-endian float64 (complex as two), bools one byte, strings UTF-8 and a NUL; a missing
value is the byte 0xff and a NUL; categoricals are taken by value. A matrix is its non-zero values with row
and column, in the order of columns within rows. Elements that this anndata cannot read are left out.
"""
import hashlib, struct, sys, warnings
import numpy as np
warnings.filterwarnings("ignore")
import anndata, pandas as pd
from scipy import sparse

def value(v):
    if v is None or v is pd.NA or (isinstance(v, float) and v != v): return b"\xff\0"
    if isinstance(v, (bool, np.bool_)): return b"\1" if v else b"\0"
    if isinstance(v, (str, np.str_)): return v.encode() + b"\0"
    if isinstance(v, bytes): return v + b"\0"
    if isinstance(v, (complex, np.complexfloating)): return struct.pack("<dd", v.real, v.imag)
    return struct.pack("<d", float(v))

def emit(path, parts):
    print(path + "\t" + hashlib.sha1(b"".join(parts)).hexdigest())

def matrix(m):
    m = sparse.csr_matrix(m) if not sparse.issparse(m) else m.tocsr().copy()
    m.sort_indices(); m = m.astype("f8"); m.eliminate_zeros()
    rows = np.repeat(np.arange(m.shape[0]), np.diff(m.indptr))
    return [struct.pack("<qq", *m.shape), rows.astype("<i8").tobytes(), m.indices.astype("<i8").tobytes(), m.data.astype("<f8").tobytes()]

def element(path, e):
    if isinstance(e, pd.DataFrame):
        element(path + "/_index", np.asarray(e.index))
        for c in e.columns: element(path + "/" + str(c), list(e[c]))
    elif sparse.issparse(e): emit(path, matrix(e))
    elif isinstance(e, np.ndarray) and e.dtype.names: pass
    elif isinstance(e, np.ndarray) and e.dtype.kind in "iufb" and e.ndim == 2: emit(path, matrix(e.astype("f8")))
    elif isinstance(e, (np.ndarray, list, pd.Index)): emit(path, [value(v) for v in (e.ravel().tolist() if isinstance(e, np.ndarray) else e)])

f = anndata.read_h5ad(sys.argv[1])
element("obs", f.obs); element("var", f.var)
if f.X is not None: emit("X", matrix(f.X))
if f.raw is not None:
    emit("raw.X", matrix(f.raw.X)); element("raw.var", f.raw.var)
for name in f.layers: emit("layers/" + name, matrix(f.layers[name]))
for part in ("obsm", "varm"):
    for name in getattr(f, part): element(part + "/" + name, getattr(f, part)[name])
