"""Write a file in the newer format, and what h5py reads from it as JSON.

usage: latest.py FILE BOUND USERBLOCK SIZE   (BOUND: v110 or latest; SIZE: small or whole)
"""
import ctypes
import hashlib
import json
import sys

import h5py
import numpy as np

path, bound, userblock = sys.argv[1], sys.argv[2], int(sys.argv[3])
SMALL = sys.argv[4] == "small"


def names(n):
    return ["%s-%d" % ("aé漢𝛼"[i % 4] * (1 + i % 7), i) for i in range(n)]


def groups(f):
    for order in (False, True):
        top = f.create_group("order" if order else "plain", track_order=order)
        for n in (0, 9, 100) if SMALL else (0, 1, 5, 8, 9, 20, 100, 1000, 6000):
            g = top.create_group("g%d" % n, track_order=order)
            for i, name in enumerate(names(n)):
                if i % 3 == 2:
                    g[name] = h5py.SoftLink("/plain/g%d" % i)
                else:
                    g[name] = top
    g = f.create_group("long")
    for n in (300, 4000, 5000):
        g["n" * n] = f["plain"]
    for i in range(20):
        g["x%d" % i] = f["plain"]
    if SMALL:
        return
    g = f.create_group("deep")  # more than the direct blocks of the root hold
    for i in range(700):
        g["%04d" % i + "d" * 3000] = f["plain"]
    for i in range(0, 700, 3):
        del g["%04d" % i + "d" * 3000]


def attributes(f):
    g = f.create_group("attrs")
    for i, name in enumerate(names(100)):
        g.attrs[name] = np.arange(i, dtype="<i8")
    g = f.create_group("huge")
    for i in range(9):
        g.attrs["small%d" % i] = i
    g.attrs["fixed"] = np.array(["value %d" % i for i in range(9000)], dtype="S16")
    g.attrs["vlen"] = np.array(["välue %d" % i for i in range(9000)], dtype=h5py.string_dtype())
    g.attrs["numbers"] = np.arange(50000, dtype="<i8")


def unfiltered_edges(dcpl):
    lib = next(l.split()[-1] for l in open("/proc/self/maps") if "libhdf5" in l and "_hl" not in l)
    lib = ctypes.CDLL(lib)
    lib.H5Pset_chunk_opts.argtypes = [ctypes.c_int64, ctypes.c_uint]
    if lib.H5Pset_chunk_opts(dcpl.id, 2) < 0:
        raise SystemExit("H5Pset_chunk_opts")


def make(f, name, shape, chunk, maxshape=None, gzip=False, early=False, write="all", resize=(), edges=False):
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    dcpl.set_chunk(chunk)
    if early:
        dcpl.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    dcpl.set_fill_value(np.array(-7, "<i4"))
    if gzip:
        dcpl.set_deflate(4)
    if edges:
        unfiltered_edges(dcpl)
    limit = tuple(h5py.h5s.UNLIMITED if m is None else m for m in maxshape or shape)
    space = h5py.h5s.create_simple(shape, limit)
    ds = h5py.Dataset(h5py.h5d.create(f.id, name.encode(), h5py.h5t.STD_I32LE, space, dcpl))

    def numbers(s):
        v = np.arange(int(np.prod(s)), dtype="<i4").reshape(s)
        v *= np.int32(1103515245) if gzip == "hard" else np.int32(1)
        return v

    if write == "all":
        ds[...] = numbers(shape)
    else:
        for i, at in enumerate(write):
            ds[at] = i + 1
    for s in resize:
        ds.resize(s)
        if s == resize[-1]:
            ds[tuple(slice(n // 2, n) for n in s)] = 99


def datasets(f):
    if SMALL:
        make(f, "single", (4,), (4,), gzip=True)
        make(f, "fixed", (400,), (4,), gzip=True)
        make(f, "fixed_pages", (6001,), (4,))
        make(f, "ext", (21, 70), (2, 2), (60, None), gzip=True)
        make(f, "ext_pages", (4 * 132000,), (4,), (None,), write=(4 * 131062,))
        make(f, "tree", (40, 41), (2, 2), (None, None), gzip=True)
        make(f, "implicit", (81,), (4,), early=True)
        return
    # "hard" numbers do not compress: deflate gives up and the mask says so.
    make(f, "fixed_hard", (20003,), (4,), gzip="hard")
    make(f, "ext_hard", (41, 203), (2, 2), (60, None), gzip="hard")
    make(f, "tree_hard", (61, 83), (2, 2), (None, None), gzip="hard")
    for gz, t in ((False, ""), (True, "_gz")):
        make(f, "single" + t, (4,), (4,), gzip=gz)
        make(f, "single_big" + t, (50, 40), (50, 40), gzip=gz)
        make(f, "fixed1" + t, (20003,), (4,), gzip=gz)
        make(f, "fixed2" + t, (61, 83), (2, 2), gzip=gz)
        make(f, "fixed3" + t, (13, 17, 19), (2, 2, 1), gzip=gz)
        make(f, "fixed_small" + t, (100,), (4,), gzip=gz)
        make(f, "fixed_room" + t, (61, 45), (2, 2), (90, 64), gzip=gz, resize=((90, 60), (33, 21), (45, 64)))
        make(f, "fixed_sparse" + t, (40000,), (4,), gzip=gz, write=(0, 17, 4099, 20000, 39999))
        make(f, "ext1" + t, (20003,), (4,), (None,), gzip=gz)
        make(f, "ext_small" + t, (9,), (4,), (None,), gzip=gz)
        make(f, "ext2a" + t, (203, 41), (2, 2), (None, 60), gzip=gz)
        make(f, "ext2b" + t, (41, 203), (2, 2), (60, None), gzip=gz)
        make(f, "ext3" + t, (13, 101, 9), (2, 1, 2), (20, None, 31), gzip=gz)
        make(f, "ext3c" + t, (13, 9, 101), (2, 1, 2), (13, 9, None), gzip=gz)
        make(f, "ext_resized" + t, (41, 203), (2, 2), (60, None), gzip=gz, resize=((60, 301), (30, 77), (50, 111)))
        make(f, "ext_sparse" + t, (4 * 400000,), (4,), (None,), gzip=gz,
             write=[4 * i for i in (0, 3, 4, 19, 20, 5000, 131059, 131060, 131064, 131060 + 2047,
                                    131060 + 3 * 2048 + 1500, 131060 + 9 * 2048, 262131, 262132,
                                    262132 + 5 * 4096 + 3000, 393215, 399999)])
        make(f, "tree2" + t, (203, 161), (2, 2), (None, None), gzip=gz)
        make(f, "tree3" + t, (13, 17, 19), (2, 2, 1), (None, None, 30), gzip=gz)
        make(f, "tree_small" + t, (5, 5), (2, 2), (None, None), gzip=gz)
        make(f, "tree_resized" + t, (61, 45), (2, 2), (None, None), gzip=gz, resize=((90, 60), (33, 21), (45, 64)))
        make(f, "tree_sparse" + t, (400, 400), (2, 2), (None, None), gzip=gz, resize=((50, 50),),
             write=((7, 7), (399, 3), (49, 49), (3, 399)))
        make(f, "empty" + t, (40, 40), (2, 2), (None, None), gzip=gz, write=())
        make(f, "none" + t, (0, 40), (2, 2), (None, 40), gzip=gz, write=())
        if gz:
            make(f, "edge_fixed" + t, (61, 83), (4, 4), gzip=gz, edges=True)
            make(f, "edge_ext" + t, (61, 83), (4, 4), (61, None), gzip=gz, edges=True)
            make(f, "edge_tree" + t, (61, 83), (4, 4), (None, None), gzip=gz, edges=True)
            make(f, "edge_single" + t, (9,), (12,), (12,), gzip=gz, edges=True)
    make(f, "ext_pages", (4 * 140001,), (4,), (None,))
    make(f, "ext_pages_gz", (4 * 140001,), (4,), (None,), gzip=True)
    make(f, "implicit1", (8001,), (4,), early=True)
    make(f, "implicit2", (61, 83), (2, 2), early=True)
    make(f, "implicit3", (13, 17, 19), (2, 2, 1), early=True)


def digest(b):
    return hashlib.sha256(b).hexdigest()


def text(v):
    return [s.decode() if isinstance(s, bytes) else s for s in np.ravel(v).tolist()]


out = {"groups": {}, "attrs": {}, "data": {}}
with h5py.File(path, "w", libver=(bound, bound), userblock_size=userblock) as f:
    groups(f)
    attributes(f)
    datasets(f.create_group("data"))
with h5py.File(path, "r") as f:
    for top in ("plain", "order"):
        for k, g in f[top].items():
            out["groups"]["/%s/%s" % (top, k)] = digest("\n".join(sorted(g)).encode())
    for k in ("long",) if SMALL else ("long", "deep"):
        out["groups"]["/" + k] = digest("\n".join(sorted(f[k])).encode())
    for k in ("attrs", "huge"):
        out["attrs"]["/" + k] = {
            n: digest("\n".join(text(v) if v.dtype.kind in "SO" else np.ravel(v).astype(str)).encode())
            for n, v in ((n, np.asarray(v)) for n, v in f[k].attrs.items())}
    for k, d in f["data"].items():
        out["data"]["/data/" + k] = digest(d[...].astype("<i4").tobytes())
json.dump(out, sys.stdout)
