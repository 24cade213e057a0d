"""Times SciPy on the shapes of the benchmarks of package scfid.

usage: timing.py DIMENSIONS...   (unset OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE)

n = 10,000: one covariance, the trace term through sqrtm (pytorch-fid) and through
eigvals (torch-fidelity), and the product of two covariances; then, for 2,304
dimensions and more, a whole distance of 500 rows a side as pytorch-fid takes it.
Prints the libraries, and a line "scipy NAME/DIMENSION SECONDS" each: best of three
below 1,200 dimensions.
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


def say(name, d, seconds):
    print(f"scipy {name}/{d} {seconds:.4f}", flush=True)


print("# numpy", np.__version__, "scipy", scipy.__version__)
try:
    import threadpoolctl

    for i in threadpoolctl.threadpool_info():
        print("#", i["internal_api"], i["version"], i.get("architecture"), i["num_threads"], "threads")
except ImportError:
    with open("/proc/self/maps") as maps:
        print("#", *sorted({line.split()[-1] for line in maps if "blas" in line}))
rng = np.random.default_rng(1)
for d in map(int, sys.argv[1:]):
    draw = lambda n: rng.normal(size=(n, d)) / np.sqrt(np.arange(1, d + 1))
    x, y = draw(10_000), draw(10_000)
    times = 3 if d < 1200 else 1
    say("cov", d, best(lambda: np.cov(x, rowvar=False), times))
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    say("sqrtm", d, best(lambda: np.trace(sqrtm(s @ t)).real, times))
    say("eigvals", d, best(lambda: np.sqrt(np.linalg.eigvals(s @ t).astype(complex)).real.sum(), times))
    say("gemm", d, best(lambda: s @ t, 3))
    if d >= 2304:
        x, y = x[:500], y[:500]
        say("few", d, best(lambda: np.trace(sqrtm(np.cov(x, rowvar=False) @ np.cov(y, rowvar=False))).real, 1))
