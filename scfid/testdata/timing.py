"""Times SciPy on the shapes of the benchmarks of package scfid.

usage: timing.py DIMENSIONS...   (unset OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE)

n = 10,000: one covariance, the trace term through sqrtm (pytorch-fid), and
through eigvals (torch-fidelity). Prints seconds, best of three below 1,200
dimensions.
"""

import sys
import time

import numpy as np
import scipy
from scipy.linalg import sqrtm


def best(f, times):
    out = []
    for _ in range(times):
        start = time.perf_counter()
        f()
        out.append(time.perf_counter() - start)
    return min(out)


print("numpy", np.__version__, "scipy", scipy.__version__)
try:
    import threadpoolctl

    print([(i["internal_api"], i["version"], i.get("architecture"), i["num_threads"]) for i in threadpoolctl.threadpool_info()])
except ImportError:
    pass
rng = np.random.default_rng(1)
for d in map(int, sys.argv[1:]):
    x = rng.normal(size=(10_000, d)) / np.sqrt(np.arange(1, d + 1))
    y = rng.normal(size=(10_000, d)) / np.sqrt(np.arange(1, d + 1))
    times = 3 if d < 1200 else 1
    cov = best(lambda: np.cov(x, rowvar=False), times)
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = best(lambda: np.trace(sqrtm(s @ t)).real, times)
    eig = best(lambda: np.sqrt(np.linalg.eigvals(s @ t)).real.sum(), times) if d < 4000 else float("nan")
    gemm = best(lambda: s @ t, 3)
    print(f"d {d}: cov {cov:.3f}, sqrtm {root:.3f}, eigvals {eig:.3f}, gemm {2 * d**3 / gemm / 1e9:.1f} GF/s")
