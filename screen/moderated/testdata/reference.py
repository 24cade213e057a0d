"""Moderated t-statistics by matrices, SciPy's special functions and an optimiser: an
independent way to the numbers of this package. Prints golden.json.

limma's formulas: Smyth (2004), sections 4 and 6.2; the functions fitFDist, squeezeVar
and eBayes of the R package.
"""

import json
import sys

import numpy as np
from scipy import optimize, special, stats


def cases():
    rng = np.random.default_rng(7)
    c = 60

    def screen(pos, neu, sigma, chol, shift):
        e = np.einsum("ij,cdj->cdi", chol, rng.normal(size=(c, pos, 2))) * sigma[:, None, None]
        e += shift[:, None, :]
        e = e.round(6)
        return e

    sigma = np.sqrt(4 / rng.chisquare(4, c))
    shift = rng.normal(size=(c, 2))
    chol = np.linalg.cholesky(np.array([[1.6, 0.4], [0.4, 0.5]]))
    e = screen(6, 6, sigma, chol, shift)
    yield "paired", e[:, :, 0], e[:, :, 1]
    # Donors of one context each: 4 and 5.
    p = np.full((c, 9), np.nan)
    n = np.full((c, 9), np.nan)
    p[:, :4] = e[:, :4, 0]
    n[:, 4:] = screen(5, 5, sigma, chol, shift)[:, :, 1]
    yield "two samples", p, n
    # Some of both, and some answers missing.
    p, n = e[:, :, 0].copy(), e[:, :, 1].copy()
    p[:, 0] = np.nan
    n[:, 5] = np.nan
    for k in range(0, c, 7):
        p[k, 2] = np.nan
    for k in range(0, c, 11):
        n[k, 3:] = np.nan
    yield "mixed", p, n
    # Equal variances: the prior has no end.
    e = screen(4, 4, np.ones(c), np.eye(2), shift)
    yield "alike", e[:, :, 0], e[:, :, 1]


def blocks(p, n, v):
    """Design, observations and covariance of one compound."""
    x, y, at = [], [], []
    for d in range(len(p)):
        for k, w in ((0, p[d]), (1, n[d])):
            if not np.isnan(w):
                x.append([1 - k, k])
                y.append(w)
                at.append((d, k))
    cov = np.array([[v[a[1], b[1]] if a[0] == b[0] else 0.0 for b in at] for a in at])
    return np.array(x, float), np.array(y), cov


def gls(p, n, v):
    x, y, cov = blocks(p, n, v)
    w = np.linalg.inv(cov)
    a = np.linalg.inv(x.T @ w @ x)
    beta = a @ x.T @ w @ y
    r = y - x @ beta
    df = len(y) - 2
    return beta, a, float(r @ w @ r) / df, df


def deviations(pos, neu):
    """Residuals from plain means, as pairs and singles of each compound."""
    out = []
    for p, n in zip(pos, neu):
        a, b = p - np.nanmean(p), n - np.nanmean(n)
        out.append((a, b, ~np.isnan(p), ~np.isnan(n)))
    return out


def shape(pos, neu):
    """The root of the estimating equations, by SciPy instead of iteration."""
    groups = deviations(pos, neu)
    paired = sum(max((a & b).sum() - 1, 0) for _, _, a, b in groups) >= 30

    def equations(t):
        v = np.array([[1 + np.tanh(t[0]), 0], [0, 1 - np.tanh(t[0])]])
        v[0, 1] = v[1, 0] = np.tanh(t[1]) * np.sqrt(v[0, 0] * v[1, 1]) if paired else 0
        w = np.linalg.inv(v)
        new, df = np.zeros((2, 2)), np.zeros((2, 2))
        for a, b, ha, hb in groups:
            dist, s = 0.0, np.zeros((2, 2))
            for d in range(len(a)):
                if ha[d] and hb[d]:
                    r = np.array([a[d], b[d]])
                    dist += r @ w @ r
                    s += np.outer(r, r)
                elif ha[d]:
                    dist += a[d] ** 2 / v[0, 0]
                    s[0, 0] += a[d] ** 2
                elif hb[d]:
                    dist += b[d] ** 2 / v[1, 1]
                    s[1, 1] += b[d] ** 2
            dfs = ha.sum() - 1 + hb.sum() - 1
            new += s * dfs / dist
            df += [[ha.sum() - 1, max((ha & hb).sum() - 1, 0)], [max((ha & hb).sum() - 1, 0), hb.sum() - 1]]
        new = new / np.where(df == 0, 1, df)
        new /= np.trace(new) / 2
        return [new[0, 0] - v[0, 0], new[0, 1] - v[0, 1] if paired else t[1]]

    t = optimize.fsolve(equations, [0.0, 0.0], xtol=1e-13)
    v = np.array([[1 + np.tanh(t[0]), 0], [0, 1 - np.tanh(t[0])]])
    if paired:
        v[0, 1] = v[1, 0] = np.tanh(t[1]) * np.sqrt(v[0, 0] * v[1, 1])
    return v


def fit_f_dist(s2, df):
    z = np.log(s2) - special.digamma(df / 2) + np.log(df / 2)
    spread = z.var(ddof=1) - special.polygamma(1, df / 2).mean()
    if spread <= 0:
        return np.inf, float((s2 * df).sum() / df.sum())
    d0 = 2 * optimize.brentq(lambda y: special.polygamma(1, y) - spread, 1e-6, 1e9, xtol=1e-14, rtol=1e-14)
    return d0, float(np.exp(z.mean() + special.digamma(d0 / 2) - np.log(d0 / 2)))


def main():
    golden = []
    for name, pos, neu in cases():
        v = shape(pos, neu)
        fits = [gls(p, n, v) for p, n in zip(pos, neu)]
        s2 = np.array([f[2] for f in fits])
        df = np.array([f[3] for f in fits], float)
        d0, s0 = fit_f_dist(s2, df)
        rows = []
        for beta, a, s, d in fits[:8]:
            total = min(d + d0, df.sum())
            post = s0 if np.isinf(d0) else (d0 * s0 + d * s) / (d0 + d)
            row = {"s2": s, "df": d, "total": total, "estimates": []}
            for c in ([1, 0], [0, 1], [1, -1], [0.5, -2]):
                c = np.array(c, float)
                value, se = float(c @ beta), float(np.sqrt(post * (c @ a @ c)))
                t = stats.t(total)
                half = t.ppf(0.95) * se
                row["estimates"].append(
                    {
                        "value": value,
                        "se": se,
                        "greater": t.sf(value / se),
                        "less": t.cdf(value / se),
                        "within": max(t.sf((value + 1) / se), t.cdf((value - 1) / se)),
                        "lo": value - half,
                        "hi": value + half,
                    }
                )
            rows.append(row)
        golden.append(
            {
                "name": name,
                "pos": [[None if np.isnan(x) else x for x in r] for r in pos],
                "neu": [[None if np.isnan(x) else x for x in r] for r in neu],
                "shape": [v[0, 0], v[1, 1], v[0, 1]],
                "prior_df": None if np.isinf(d0) else d0,
                "prior_s2": s0,
                "rows": rows,
            }
        )
    json.dump(golden, sys.stdout)
    print()


main()
