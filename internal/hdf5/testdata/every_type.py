"""Writes an HDF5 file of the oldest format with every datatype, filter and shape: every_type.py OUT.h5"""
import sys
import h5py, numpy as np

with h5py.File(sys.argv[1], "w") as f:
    for order in "<>":
        for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
            info = np.iinfo(kind)
            values = [0, 1, info.min, info.max, info.max // 2, min(2**53 + 1, info.max)]
            f[f"{kind}{order}"] = np.array(values, dtype=kind).astype(order + kind)
        for kind in ("f2", "f4", "f8"):
            f[f"{kind}{order}"] = np.array([0.0, -0.0, 1.5, -2.25, np.nan, np.inf, -np.inf, 6e-8, 65504.0], order + kind)
    f["bool"] = np.array([True, False, True])
    f.create_dataset("enum", data=np.array([1, 3], "i2"), dtype=h5py.enum_dtype({"A": 1, "B": 3}, basetype="i2"))
    f["null"] = h5py.Empty("f4"); f["scalar"] = 7.5; f["text"] = "grün"; f["none"] = np.zeros((0, 3), "f4")
    f.create_dataset("vlen", data=["a", "", "longer " * 5000, "ü"], dtype=h5py.string_dtype())
    f["fixed"] = np.array([b"ab", b"", b"abcdef"], "S6")
    f.create_dataset("ragged", (3,), dtype=h5py.vlen_dtype("i4")); f["ragged"][0] = [1, 2, 3]; f["ragged"][2] = [4]
    t = np.dtype([("x", "f4"), ("in", [("y", ">i2"), ("z", "S3")]), ("grid", "i4", (2, 3))])
    c = np.zeros(4, t); c["x"] = [1, 2, 3, 4]; c["in"]["y"] = [-1, 2, -3, 4]; c["in"]["z"] = [b"a", b"bc", b"", b"def"]; c["grid"] = np.arange(24).reshape(4, 2, 3)
    f["compound"] = c; f["opaque"] = np.array([b"\1\2\3"], "V3")
    g = f.create_group("refs"); g["to"] = np.array([f["x"].ref if "x" in f else f["bool"].ref, f.ref], dtype=h5py.ref_dtype)
    f["type"] = np.dtype("f4"); f["soft"] = h5py.SoftLink("/bool"); f["dangling"] = h5py.SoftLink("/nowhere")
    f["outside"] = h5py.ExternalLink("other.h5", "/x"); f["refs/root"] = f["/"]
    f.attrs["column-order"] = np.array([], "f8"); f.attrs["empty"] = h5py.Empty("i4"); f.attrs["list"] = ["a", "bb"]
    for i in range(42): f["bool"].attrs[f"attribute {i}"] = np.arange(i)
    # Filters and chunks of one, two and three dimensions that do not divide the shape.
    rng = np.random.default_rng(1)
    for n, kw in enumerate([dict(compression="gzip"), dict(compression="gzip", shuffle=True), dict(compression="lzf"), dict(fletcher32=True),
                            dict(compression="lzf", shuffle=True, fletcher32=True), dict(compression="gzip", shuffle=True, fletcher32=True), {}]):
        for shape, chunks in (((1001,), (64,)), ((50, 37), (7, 11)), ((9, 8, 7), (4, 3, 5)), ((3,), (100,))):
            for kind in ("<i4", ">f8", "u1"):
                data = rng.integers(0, 200, shape).astype(kind)
                f.create_dataset(f"filter{n}/{len(shape)}{chunks[0]}{kind[-2:]}", data=data, chunks=chunks, maxshape=(None,) + shape[1:], **kw)
    f.create_dataset("incompressible", data=rng.integers(0, 256, 5000).astype("u1"), chunks=(512,), compression="lzf")
    many = f.create_dataset("many", (20000,), "i4", chunks=(4,), maxshape=(None,)); many[:] = np.arange(20000); many.resize((15001,)); many.resize((30002,))
    filled = f.create_dataset("filled", (30, 40), "f4", chunks=(8, 9), fillvalue=7); filled[:3, :3] = 1
    f.create_dataset("never", (5, 6), "i8", fillvalue=-3); f.create_dataset("never chunked", (5, 6), "u2", chunks=(2, 2), fillvalue=9)
    for n in (0, 1, 8, 9, 100, 3000):
        g = f.create_group(f"children/{n}")
        for i in range(n): g.create_group(f"ключ {i}" if i % 7 else f"key {i}")
    f.create_group("x" * 300)
