"""Scores predicted cells with Arc's cell-eval2 and prints the result as JSON.

usage: celleval2.py REAL PRED CONTROL PRESET

PRESET is v2 or vcc2026; labels are in obs "target". Prints {"metrics": {name:
{perturbation: value}}, "panel": {name: value}}, the panel being the means that the
program gives.
"""
import csv
import json
import math
import os
import subprocess
import sys
import tempfile


def number(v):
    return float(v) if v and math.isfinite(float(v)) else None


def main():
    real, pred, control, preset = sys.argv[1:]
    with tempfile.TemporaryDirectory() as d:
        tool = os.path.join(os.path.dirname(sys.executable), "cell-eval2")
        subprocess.run(
            [tool, "run", "-ap", pred, "-ar", real, "-o", d + "/out", "--preset", preset, "--control", control, "--pert-col", "target"],
            check=True, stdout=sys.stderr)
        metrics = {}
        for row in csv.DictReader(open(d + "/out/results.csv")):
            metrics.setdefault(row["metric"], {})[row["perturbation"]] = number(row["value"])
        panel = {}
        for row in csv.DictReader(open(d + "/out/agg_results.csv")):
            if row["statistic"] == "mean":
                panel = {k: number(v) for k, v in row.items() if k != "statistic"}
    json.dump({"metrics": metrics, "panel": panel}, sys.stdout)


main()
