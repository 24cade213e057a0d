"""Mann-Whitney tests and Benjamini-Hochberg rates of SciPy, for random sparse cells
with many ties.

usage: scipy_de.py FILE

FILE holds {"genes": n, "groups": [[{gene: value} a cell]]}, the control first.
Prints [{"u": [], "p": [], "fdr": []} a perturbation].
"""
import json
import sys

import numpy as np
from scipy.stats import false_discovery_control, mannwhitneyu


def main():
    data = json.load(open(sys.argv[1]))
    dense = []
    for cells in data["groups"]:
        x = np.zeros((len(cells), data["genes"]))
        for i, cell in enumerate(cells):
            for g, v in cell.items():
                x[i, int(g)] = v
        dense.append(x)
    out = []
    for x in dense[1:]:
        u, p = mannwhitneyu(x, dense[0], axis=0, method="asymptotic")
        out.append({"u": u.tolist(), "p": p.tolist(), "fdr": false_discovery_control(p).tolist()})
    json.dump(out, sys.stdout)


main()
