"""Scores the even cells of the Kang data against the odd ones with Arc's cell-eval2,
preset vcc2026, and prints the result as JSON.

usage: celleval2.py FILE

The stimulated cells are labelled by a gene in place of each cell type, so that the
preset has targets to leave out. Prints {"values": {metric: {perturbation: value}},
"panel": {metric: value}}.
"""
import csv
import json
import math
import os
import subprocess
import sys
import tempfile

import anndata as ad
import pandas as pd

GENES = ["ISG15", "IFI6", "MX1", "STAT1", "B2M"]


def main():
    a = ad.read_h5ad(sys.argv[1])
    stim = a.obs["group_id"].astype(str) == "stim"
    labels = a.obs["cluster_id"].astype(str).where(stim, "ctrl")
    gene = dict(zip(sorted(set(labels) - {"ctrl"}), GENES))
    labels = labels.map(lambda c: gene.get(c, c)).to_numpy()
    a = ad.AnnData(X=a.X, obs=pd.DataFrame({"target": labels}, index=a.obs_names), var=a.var[[]])
    with tempfile.TemporaryDirectory() as d:
        a[0::2].copy().write(d + "/real.h5ad")
        a[1::2].copy().write(d + "/pred.h5ad")
        tool = os.path.join(os.path.dirname(sys.executable), "cell-eval2")
        subprocess.run(
            [tool, "run", "-ap", d + "/pred.h5ad", "-ar", d + "/real.h5ad", "-o", d + "/out",
             "--preset", "vcc2026", "--control", "ctrl", "--pert-col", "target"],
            check=True, stdout=sys.stderr)
        values = {}
        for row in csv.DictReader(open(d + "/out/results.csv")):
            if row["value"]:
                values.setdefault(row["metric"], {})[row["perturbation"]] = float(row["value"])
        panel = {}
        for row in csv.DictReader(open(d + "/out/agg_results.csv")):
            if row["statistic"] == "mean":
                panel = {k: float(v) for k, v in row.items() if k != "statistic" and v and not math.isnan(float(v))}
    json.dump({"values": values, "panel": panel}, sys.stdout)


main()
