"""Write datasets with the filters of hdf5plugin; print what h5py reads from them as JSON.

usage: plugins.py FILE   (digests of the bytes of datasets, and how many of their
chunks went without a filter)
"""
import hashlib
import itertools
import json
import sys

import h5py
import hdf5plugin
import numpy as np

rng = np.random.default_rng(1)


def codecs():
    for cname in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
        for shuffle, how in enumerate(("plain", "bytes", "bits")):
            for level in (1, 5, 9) if shuffle else (5,):
                yield "blosc-%s-%s-%d" % (cname, how, level), hdf5plugin.Blosc(cname=cname, clevel=level, shuffle=shuffle)
    for cname, nelems in itertools.product(("none", "lz4", "zstd"), (0, 8, 64)):
        yield "bitshuffle-%s-%d" % (cname, nelems), hdf5plugin.Bitshuffle(nelems=nelems, cname=cname)
    for nbytes in (0, 64, 1000):
        yield "lz4-%d" % nbytes, hdf5plugin.LZ4(nbytes=nbytes)
    for level in (1, 3, 19):
        yield "zstd-%d" % level, hdf5plugin.Zstd(clevel=level)
    for level in (1, 9):
        yield "bzip2-%d" % level, hdf5plugin.BZip2(blocksize=level)
    yield "zstd-shuffled-summed", dict(shuffle=True, fletcher32=True, **hdf5plugin.Zstd())
    yield "lz4-shuffled", dict(shuffle=True, **hdf5plugin.LZ4())
    yield "blosc-summed", dict(fletcher32=True, **hdf5plugin.Blosc())


def counts(shape, dtype):
    return rng.poisson(0.7, shape).astype(dtype)


def noise(shape, dtype):
    dtype = np.dtype(dtype)
    return np.frombuffer(rng.bytes(int(np.prod(shape)) * dtype.itemsize), dtype).reshape(shape)


def arrays():
    for dtype in ("u1", "<i2", ">i4", "<f4", "<i8", ">f8", "S5", "<c16"):
        yield "counts" + dtype, counts((1003,), dtype), (250,)
    yield "one", counts((1,), "<f4"), (1,)
    yield "one-of-many", counts((1,), "<f4"), (900,)
    yield "empty", counts((0,), "<f4"), (100,)
    yield "empty-rows", counts((0, 7), "<i4"), (10, 7)
    yield "thirteen", counts((100,), "<i4"), (13,)
    yield "edges", counts((37, 53), "<f4"), (10, 7)
    yield "cube", counts((9, 11, 13), "<i2"), (4, 5, 13)
    yield "constant", np.full(5000, 3, "<i4"), (5000,)
    yield "noise", noise((5000,), "<i4"), (1024,)
    yield "half-noise", np.concatenate([counts(4000, "<i4"), noise((4000,), "<i4")]), (8000,)
    yield "wide", np.cumsum(counts((333, 3), "<i8"), axis=0).astype([("a", "<i8"), ("b", "S12"), ("c", "<f4")])[:, 0], (100,)


def large():
    """Chunks of many blocks, with a rest: rising columns, values that are alike, and far matches."""
    columns = np.cumsum(1 + counts(150007, "<i4"), dtype="<i4") % 20000
    yield "columns", columns, (100001,)
    yield "far", np.tile(noise((9000,), "u1"), 5), (45000,)


out, plain = {}, {}
with h5py.File(sys.argv[1], "w") as f:
    for codec, kw in codecs():
        several = arrays() if "-1" not in codec else []
        for name, a, chunks in itertools.chain(several, large()):
            path = codec + "/" + name
            d = f.create_dataset(path, data=a, chunks=chunks, maxshape=(None,) * a.ndim, **kw)
            n = d.id.get_num_chunks()
            plain[path] = sum(d.id.get_chunk_info(i).filter_mask != 0 for i in range(n))
    f.flush()
    for codec in f:
        for name, d in f[codec].items():
            out[codec + "/" + name] = hashlib.sha256(d[()].tobytes()).hexdigest()
json.dump(dict(data=out, plain=plain), sys.stdout)
