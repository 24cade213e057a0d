"""Differential expression of pdex, as JSON.

usage: pdex_de.py FILE CONTROL [FILE CONTROL ...]

Files hold log(1 + x) values, with labels in obs "target". Prints, for each file, {mean:
{target: {gene: [log2 fold change, U, p, rate]}}} with the means geometric and
arithmetic; infinite fold changes are texts.
"""
import json
import math
import sys

import anndata as ad
from pdex import pdex


def number(v):
    return str(v) if math.isinf(v) else float(v)


def main():
    cases = []
    for path, control in zip(sys.argv[1::2], sys.argv[2::2]):
        a = ad.read_h5ad(path)
        case = {}
        for mean in ("geometric", "arithmetic"):
            table = pdex(a, groupby="target", mode="ref", reference=control, is_log1p=True, epsilon=0.0, threads=2, geometric_mean=mean == "geometric")
            out = case.setdefault(mean, {})
            for r in table.to_dicts():
                out.setdefault(r["target"], {})[r["feature"]] = [number(r[k]) for k in ("log2_fold_change", "statistic", "p_value", "fdr")]
        cases.append(case)
    json.dump(cases, sys.stdout)


main()
