"""Scores predicted cells with Arc's cell-eval and prints the result as JSON.

usage: celleval.py REAL PRED CONTROL [REAL PRED CONTROL ...]

Labels are in obs "target". Prints, for each case, {"metrics": {name: {perturbation:
value}}, "panel": {name: value}}.
"""
import json
import math
import sys
import tempfile

import anndata as ad
from cell_eval import MetricsEvaluator

PANEL = ("pearson_edistance", "de_spearman_sig")


def number(v):
    return None if v is None or (isinstance(v, float) and not math.isfinite(v)) else float(v)


def score(real, pred, control):
    with tempfile.TemporaryDirectory() as out:
        e = MetricsEvaluator(
            adata_pred=ad.read_h5ad(pred),
            adata_real=ad.read_h5ad(real),
            control_pert=control,
            pert_col="target",
            num_threads=2,
            outdir=out + "/run",
        )
        results, _ = e.compute(profile="full", skip_metrics=["clustering_agreement"], write_csv=False)
    names = [c for c in results.columns if c != "perturbation"]
    rows = results.to_dicts()
    metrics = {n: {r["perturbation"]: number(r[n]) for r in rows} for n in names if n not in PANEL}
    panel = {n: number(rows[0][n]) for n in PANEL if n in names}
    return {"metrics": metrics, "panel": panel}


def main():
    json.dump([score(*case) for case in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3])], sys.stdout)


main()
