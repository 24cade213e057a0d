"""Runs functions of the Python package cell2sentence for the tests.

  parity.py benchmark FILE VALUES SAMPLE...   normalises the counts of FILE, writes them to VALUES as
      float32 in stored order, and prints for each sample size the metrics.csv of the package
  parity.py reconstruct SLOPE INTERCEPT       reads a vocabulary line and sentences, prints the
      non-zero values of each as column:value

Modules that the package imports and these functions do not need are replaced if they are absent.
"""
import importlib.util, os, sys, tempfile, types


class Anything:
    def __init__(self, *args, **kw): pass
    def __call__(self, *args, **kw): return Anything()
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return Anything()
    def __add__(self, other): return self
    __radd__ = __add__


class Stub(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return Anything


for name in ("datasets", "transformers", "torch", "plotnine"):
    if importlib.util.find_spec(name) is None: sys.modules[name] = Stub(name)
if importlib.util.find_spec("tqdm") is None:
    sys.modules["tqdm"] = types.ModuleType("tqdm"); sys.modules["tqdm"].tqdm = lambda x, *a, **k: x

import numpy as np
from cell2sentence import utils

# scikit-learn 1.6 and later return a plain float, of which the package wants the item.
r2_score = utils.metrics.r2_score
utils.metrics.r2_score = lambda *a: np.float64(r2_score(*a))


def benchmark(path, values, *samples):
    import anndata
    x = anndata.read_h5ad(path).X
    x.data = x.data.astype(np.float32)
    total = np.asarray(x.sum(axis=1), dtype=np.float32).ravel() / np.float32(10_000)
    x.data = np.log10(1 + x.data / np.repeat(total, np.diff(x.indptr)))
    assert x.data.dtype == np.float32
    x.data.tofile(values)
    for n in map(int, samples):
        with tempfile.TemporaryDirectory() as d:
            np.random.seed(42)
            out, sys.stdout = sys.stdout, sys.stderr
            utils.benchmark_expression_conversion(d, "x", x, sample_size=n)
            sys.stdout = out
            sys.stdout.write(open(os.path.join(d, "x_benchmark", "c2s_transformation_metrics.csv")).read())


def reconstruct(slope, intercept):
    lines = sys.stdin.read().split("\n")[:-1]
    vocabulary = lines[0].split(" ")
    for s in lines[1:]:
        v = utils.reconstruct_expression_from_cell_sentence(s, " ", vocabulary, float(slope), float(intercept))
        print(" ".join(f"{i}:{float(v[i])!r}" for i in np.flatnonzero(v)))


if __name__ == "__main__":
    {"benchmark": benchmark, "reconstruct": reconstruct}[sys.argv[1]](*sys.argv[2:])
