"""What package scfid is compared with, by its definitions in NumPy and SciPy.

usage: reference.py CASES.json

Each case names two files of float64 rows and their dimension. Prints one JSON
object a case: the Fréchet distance through scipy.linalg.sqrtm (as pytorch-fid
computes it, without its regularisation), KID and Gaussian MMD of all rows, and
precision, recall, density and coverage with k = 5. A case with prdc asks the package
of that name for the last four, whose definitions are spelled out here.
"""

import contextlib
import io
import json
import sys

import numpy as np
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist


def frechet(x, y):
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    diff = x.mean(0) - y.mean(0)
    root = sqrtm(s1 @ s2)
    return diff @ diff + np.trace(s1) + np.trace(s2) - 2 * np.trace(root).real


def unbiased(kxx, kyy, kxy):
    m, n = len(kxx), len(kyy)
    return (
        (kxx.sum() - np.trace(kxx)) / (m * (m - 1))
        + (kyy.sum() - np.trace(kyy)) / (n * (n - 1))
        - 2 * kxy.mean()
    )


def kid(x, y):
    k = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3
    return unbiased(k(x, x), k(y, y), k(x, y))


def mmd(x, y):
    z = np.vstack([x, y])
    d = cdist(z, z, "sqeuclidean")
    middle = np.median(d[np.triu_indices(len(z), 1)])
    k = np.exp(-d / (2 * middle))
    n = len(x)
    return unbiased(k[:n, :n], k[n:, n:], k[:n, n:])


def prdc(x, y, k=5):
    radius = lambda v: np.sort(cdist(v, v), axis=1)[:, k]  # column 0 is the row itself
    rx, ry, d = radius(x), radius(y), cdist(x, y)
    return {
        "precision": (d < rx[:, None]).any(0).mean(),
        "recall": (d < ry[None, :]).any(1).mean(),
        "density": (d < rx[:, None]).sum(0).mean() / k,
        "coverage": (d.min(1) < rx).mean(),
    }


for case in json.load(open(sys.argv[1])):
    d = case["dim"]
    x, y = (np.fromfile(case[side]).reshape(-1, d) for side in ("real", "gen"))
    out = {"fd": frechet(x, y)} if case["fd"] else {}
    if case["prdc"]:
        from prdc import compute_prdc

        with contextlib.redirect_stdout(io.StringIO()):  # it prints the numbers of rows
            out |= compute_prdc(x, y, nearest_k=5)
    if case["companions"]:
        out |= {"kid": kid(x, y), "mmd": mmd(x, y), **prdc(x, y)}
    print(json.dumps({k: float(v) for k, v in out.items()}))
