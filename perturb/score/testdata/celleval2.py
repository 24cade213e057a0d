"""Scores predicted cells with Arc's cell-eval2 and prints the result as JSON.

usage: celleval2.py REAL PRED CONTROL PRESET [REAL PRED CONTROL PRESET ...]

PRESET is v2 or vcc2026; labels are in obs "target". Prints, for each case, {"metrics":
{name: {perturbation: value}}, "panel": {name: value}}, the panel being the means that
the program gives.
"""
import contextlib
import csv
import json
import math
import sys
import tempfile

from cell_eval2.cli import main as run


def number(v):
    return float(v) if v and math.isfinite(float(v)) else None


def score(real, pred, control, preset):
    with tempfile.TemporaryDirectory() as d:
        with contextlib.redirect_stdout(sys.stderr):
            run(["run", "-ap", pred, "-ar", real, "-o", d + "/out", "--preset", preset, "--control", control, "--pert-col", "target"])
        metrics = {}
        for row in csv.DictReader(open(d + "/out/results.csv")):
            metrics.setdefault(row["metric"], {})[row["perturbation"]] = number(row["value"])
        panel = {}
        for row in csv.DictReader(open(d + "/out/agg_results.csv")):
            if row["statistic"] == "mean":
                panel = {k: number(v) for k, v in row.items() if k != "statistic"}
    return {"metrics": metrics, "panel": panel}


def main():
    args = sys.argv[1:]
    json.dump([score(*case) for case in zip(args[0::4], args[1::4], args[2::4], args[3::4])], sys.stdout)


main()
