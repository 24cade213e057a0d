"""Reads lists of [x, y] as JSON from stdin, prints SciPy's tau-b of each, NaN as null.

The method concerns the p-value alone; the exact one is slow.
"""
import json
import math
import sys

from scipy.stats import kendalltau

out = []
for x, y in json.load(sys.stdin):
    t = float(kendalltau(x, y, method="asymptotic" if len(x) > 2 else "auto").statistic) if len(x) > 1 else math.nan
    out.append(None if math.isnan(t) else t)
json.dump(out, sys.stdout)
