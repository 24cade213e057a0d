"""Scores the even cells of a file against the odd ones with Arc's cell-eval and
prints the result as JSON.

usage: celleval.py FILE CASE

CASE is the part of the file and its labels: k562 (PerturBench sample, labels
condition) or kang (labels: ctrl, and the cell type of the stimulated cells).

Prints {"metrics": {name: {perturbation: value}}, "panel": {name: value},
"de": {"real": {perturbation: {gene: [p, fdr, log2fc]}}}}.
"""
import json
import math
import sys
import tempfile

import anndata as ad
import polars as pl
from cell_eval import MetricsEvaluator

PANEL = ("pearson_edistance", "de_spearman_sig")


def number(v):
    return None if v is None or (isinstance(v, float) and not math.isfinite(v)) else float(v)


def main():
    path, case = sys.argv[1:]
    a = ad.read_h5ad(path)
    if case == "k562":
        a = a[a.obs["cell_type"] == "k562"].copy()
        labels, control = a.obs["condition"].astype(str), "control"
    else:
        stim = a.obs["group_id"].astype(str) == "stim"
        labels, control = a.obs["cluster_id"].astype(str).where(stim, "ctrl"), "ctrl"
    a = ad.AnnData(X=a.X, obs={"label": labels.to_numpy()}, var=a.var[[]])
    with tempfile.TemporaryDirectory() as out:
        e = MetricsEvaluator(
            adata_pred=a[1::2].copy(),
            adata_real=a[0::2].copy(),
            control_pert=control,
            pert_col="label",
            num_threads=2,
            outdir=out + "/run",
        )
        results, _ = e.compute(profile="full", skip_metrics=["clustering_agreement"], write_csv=False)
        de = pl.read_csv(out + "/run/real_de.csv")
    names = [c for c in results.columns if c != "perturbation"]
    rows = results.to_dicts()
    metrics = {n: {r["perturbation"]: number(r[n]) for r in rows} for n in names if n not in PANEL}
    panel = {n: number(rows[0][n]) for n in PANEL if n in names}
    table = {}
    for r in de.to_dicts():
        table.setdefault(r["target"], {})[r["feature"]] = [number(r["p_value"]), number(r["fdr"]), number(r["log2_fold_change"])]
    json.dump({"metrics": metrics, "panel": panel, "de": {"real": table}}, sys.stdout)


main()
