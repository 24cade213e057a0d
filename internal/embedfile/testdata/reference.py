"""Makes .npy and .npz files with NumPy, and reads those of package embedfile.

usage: reference.py make DIR    writes files and prints their values as JSON
       reference.py read FILE   prints shape, dtype and values of an .npy or .npz
"""

import json
import os
import sys

import numpy as np


def values(a):
    return [float(v) for v in np.asarray(a, dtype=float).ravel()]


if sys.argv[1] == "make":
    made = {}
    rng = np.random.default_rng(1)
    for code in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1".split():
        for byteorder in "<>":
            for order in "CF":
                a = rng.normal(size=(7, 3)) * 50
                if code[0] == "u":
                    a = abs(a)
                if code[0] == "f":
                    a[0, 0], a[1, 1], a[2, 2] = 0.0, -0.0, 6e-8  # 6e-8 is subnormal in f2
                a = np.array(a, dtype=byteorder + code, order=order)
                name = f"{'le' if byteorder == '<' else 'be'}_{code}_{order}.npy"
                np.save(os.path.join(sys.argv[2], name), a)
                made[name] = values(a)
    a = np.arange(6, dtype="f4").reshape(2, 3)
    for version in (1, 0), (2, 0), (3, 0):
        name = f"version{version[0]}.npy"
        with open(os.path.join(sys.argv[2], name), "wb") as f:
            np.lib.format.write_array(f, a, version=version)
        made[name] = values(a)
    x = rng.normal(size=(20, 4))
    for name, save in ("stats.npz", np.savez), ("small.npz", np.savez_compressed):
        save(os.path.join(sys.argv[2], name), mu=x.mean(0), sigma=np.cov(x, rowvar=False).astype("f4", order="F"))
        made[name] = values(x.mean(0)) + values(np.cov(x, rowvar=False).astype("f4"))
    np.save(os.path.join(sys.argv[2], "pickled.npy"), np.array([[{}, 1]], dtype=object), allow_pickle=True)
    print(json.dumps(made))
else:
    a = np.load(sys.argv[2])
    if isinstance(a, np.ndarray):
        a = {"": a}
    print(json.dumps({k: [list(a[k].shape), a[k].dtype.str, values(a[k])] for k in a}))
