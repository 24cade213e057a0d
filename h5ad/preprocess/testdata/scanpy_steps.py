"""Preprocesses files with scanpy, for the tests.

Reads cases from standard input, a line each: FILE VALUES MIN_GENES MIN_CELLS MAX_MITO TARGET BASE
(tabs between). Writes X of each as dense float32 to VALUES and prints, as a line of JSON, the kept rows
and columns and the total to which cells were scaled. 0 leaves a step out; TARGET may be "median",
BASE "e".
"""
import json, sys
import anndata, numpy as np, scanpy as sc
from scipy import sparse


def steps(path, values, min_genes, min_cells, max_mito, target, base):
    a = anndata.read_h5ad(path)
    a = anndata.AnnData(sparse.csr_matrix(a.X), obs={"row": np.arange(a.n_obs)}, var=a.var[[]].assign(column=np.arange(a.n_vars)))
    if int(min_genes): sc.pp.filter_cells(a, min_genes=int(min_genes))
    if int(min_cells): sc.pp.filter_genes(a, min_cells=int(min_cells))
    if float(max_mito):
        a.var["mt"] = a.var_names.str.startswith("MT-") | a.var_names.str.startswith("mt-")
        sc.pp.calculate_qc_metrics(a, qc_vars=["mt"], percent_top=None, log1p=False, inplace=True)
        a = a[a.obs.pct_counts_mt <= 100 * float(max_mito)].copy()
    total = 0
    if target == "median":
        totals = np.asarray(a.X.sum(axis=1)).ravel()
        total = float(np.median(totals[totals > 0]))
        sc.pp.normalize_total(a)
    elif target != "0":
        total = float(target)
        sc.pp.normalize_total(a, target_sum=total)
    if base != "0": sc.pp.log1p(a, base=None if base == "e" else int(base))
    np.asarray(a.X.todense()).astype(np.float32).tofile(values)
    print(json.dumps({"rows": a.obs["row"].tolist(), "columns": a.var["column"].tolist(), "target": total}))


for line in sys.stdin:
    steps(*line.rstrip("\n").split("\t"))
