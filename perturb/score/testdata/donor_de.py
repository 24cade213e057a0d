"""The moderated t-test on donor pseudobulks, computed with SciPy.

usage: donor_de.py FILE

FILE holds {"treated": {donor: [counts a gene]}, "control": {donor: [counts]}}, sums over
the cells of a donor. Prints {"lfc": [], "p": [], "fdr": []}, null for genes that are not
tested. The equations are those of Smyth 2004, section 6.2 and the appendix; log2 counts
per million as in Law and others 2014.
"""
import json
import sys

import numpy as np
from scipy.optimize import brentq
from scipy.special import polygamma, psi
from scipy.stats import false_discovery_control, t


def main():
    data = json.load(open(sys.argv[1]))
    level = lambda x: np.log2((x + 0.5) / (x.sum() + 1) * 1e6)
    treated = {d: np.asarray(x, float) for d, x in data["treated"].items()}
    control = {d: np.asarray(x, float) for d, x in data["control"].items()}
    tested = np.mean([x / x.sum() * 1e6 for x in control.values()], axis=0) > 5
    both = sorted(set(treated) & set(control))
    if len(both) >= 2:
        y = np.array([level(treated[d]) - level(control[d]) for d in both])
        lfc, var, df, unscaled = y.mean(0), y.var(0, ddof=1), len(both) - 1, np.sqrt(1 / len(both))
    else:
        a, b = (np.array([level(x) for x in side.values()]) for side in (treated, control))
        df = len(a) + len(b) - 2
        lfc, unscaled = a.mean(0) - b.mean(0), np.sqrt(1 / len(a) + 1 / len(b))
        var = (a.var(0) * len(a) + b.var(0) * len(b)) / df
    lfc, var = lfc[tested], var[tested]
    e = np.log(np.maximum(var, 1e-5 * np.median(var))) - psi(df / 2) + np.log(df / 2)
    spread = e.var(ddof=1) - polygamma(1, df / 2)
    if spread > 0:
        half = brentq(lambda x: polygamma(1, x) - spread, 1e-6, 1e9, xtol=1e-14, rtol=1e-14)
        d0, s0 = 2 * half, np.exp(e.mean() + psi(half) - np.log(half))
        post, total = (d0 * s0 + df * var) / (d0 + df), min(d0 + df, df * len(var))
    else:
        post, total = np.exp(e.mean()), df * len(var)
    p = 2 * t.sf(np.abs(lfc) / (unscaled * np.sqrt(post)), total)
    out = {k: [None] * len(tested) for k in ("lfc", "p", "fdr")}
    for k, v in (("lfc", lfc), ("p", p), ("fdr", false_discovery_control(p))):
        for at, value in zip(np.flatnonzero(tested), v):
            out[k][at] = float(value)
    json.dump(out, sys.stdout)


main()
