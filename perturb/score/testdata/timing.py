"""Cells for timing, and how long pdex and SciPy take for their differential expression.

usage: timing.py make REAL PRED GENES CELLS PERTURBATIONS
       timing.py pdex|scipy REAL THREADS

make writes log(1 + x) of counts per 10,000, about a tenth of them not zero: a fifth of
the cells are control, and each perturbation moves 50 genes; the prediction moves them
half as far. pdex is timed from the file in memory on, a second time, when its functions
are compiled. SciPy tests the perturbations one after the other on dense cells, three of
them, and the time is that of all.
"""
import sys
import time

import anndata as ad
import numpy as np
import scipy.sparse as sp


def make(real, pred, genes, cells, perts):
    rate = np.sort(np.random.default_rng(1).gamma(0.5, 0.2, genes))[::-1]
    labels = np.array(["control"] * (cells // 5) + [f"P{i % perts}" for i in range(cells - cells // 5)])
    moved = {f"P{i}": np.random.default_rng(100 + i).choice(genes // 2, 50, replace=False) for i in range(perts)}
    for path, seed, size in ((real, 2, 1.0), (pred, 3, 0.5)):
        rng = np.random.default_rng(seed)
        blocks = []
        for at in range(0, cells, 2000):
            part = labels[at : at + 2000]
            mean = np.tile(rate, (len(part), 1)) * rng.lognormal(0, 0.3, (len(part), 1))
            for i, p in enumerate(part):
                if p != "control":
                    mean[i, moved[p]] *= np.where(np.arange(50) % 2, 1 + 2 * size, 1 / (1 + 2 * size))
            blocks.append(sp.csr_matrix(rng.poisson(mean).astype(np.float32)))
        x = sp.vstack(blocks, format="csr")
        x = sp.diags(1e4 / np.maximum(1, np.asarray(x.sum(1)).ravel())).astype(np.float32) @ x
        x = sp.csr_matrix(x, dtype=np.float32)
        x.data = np.log1p(x.data)
        a = ad.AnnData(x, var={"name": [f"G{j}" for j in range(genes)]})
        a.obs["target"] = labels
        a.var_names = a.var["name"].astype(str)
        a.write_h5ad(path)
        print(f"{path}: {cells} cells x {genes} genes, {x.nnz} values", file=sys.stderr)


def main():
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:]))
        return
    what, path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    a = ad.read_h5ad(path)
    if what == "pdex":
        from pdex import pdex

        for _ in range(2):
            start = time.perf_counter()
            pdex(a, groupby="target", mode="ref", reference="control", is_log1p=True, epsilon=0.0, threads=threads)
            took = time.perf_counter() - start
    else:
        from scipy.stats import mannwhitneyu

        label = a.obs["target"].to_numpy()
        control = a.X[label == "control"].toarray()
        perts = sorted(set(label) - {"control"})
        start = time.perf_counter()
        for p in perts[:3]:
            mannwhitneyu(a.X[label == p].toarray(), control, axis=0, method="asymptotic")
        took = (time.perf_counter() - start) / 3 * len(perts)
    print(f"{what} {took:.2f}")


main()
