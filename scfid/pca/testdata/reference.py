"""PCA of log-normalised counts by NumPy's SVD, for package pca.

usage: reference.py COUNTS CELLS GENES COMPONENTS  (COUNTS: float64, row by row)
"""

import json
import sys

import numpy as np

n, g, k = map(int, sys.argv[2:])
x = np.fromfile(sys.argv[1]).reshape(n, g)
x = np.log1p(x / x.sum(1, keepdims=True) * 1e4)
mean = x.mean(0)
_, s, vt = np.linalg.svd(x - mean, full_matrices=False)
vt *= np.sign(vt[np.arange(len(vt)), abs(vt).argmax(1)])[:, None]
print(json.dumps({
    "variance": (s[:k] ** 2 / (n - 1)).tolist(),
    "total": float((s**2).sum() / (n - 1)),
    "embedding": ((x - mean) @ vt[:k].T).ravel().tolist(),
}))
