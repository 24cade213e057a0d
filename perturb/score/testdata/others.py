"""The metrics of Systema, PerturBench and of distances between distributions, computed
with NumPy, SciPy and scikit-learn from their definitions: their packages are not on the
package index.

usage: others.py REAL PRED CONTROL

Values are log(1 + x), labels are in obs "target". Prints {preset: {metric:
{perturbation: value}}}.
"""
import json
import sys

import anndata as ad
import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import pearsonr, rankdata, wasserstein_distance
from sklearn.metrics import r2_score


def main():
    real, pred, control = sys.argv[1:]
    a, b = ad.read_h5ad(real), ad.read_h5ad(pred)
    x, y = (np.asarray(s.X.todense() if hasattr(s.X, "todense") else s.X, float) for s in (a, b))
    u, v = a.obs["target"].astype(str).to_numpy(), b.obs["target"].astype(str).to_numpy()
    perts = sorted(set(u) - {control})
    mx, my = ({p: m[l == p].mean(0) for p in perts + [control]} for m, l in ((x, u), (y, v)))
    out = {"systema": {}, "perturbench": {}, "distances": {}}

    def put(preset, metric, p, value):
        out[preset].setdefault(metric, {})[p] = float(value)

    origin = np.mean([mx[p] for p in perts], axis=0)
    change = lambda m, p: np.log2(m[p] + 0.1) - np.log2(m[control] + 0.1)
    cos = lambda p, q: np.dot(p, q) / np.linalg.norm(p) / np.linalg.norm(q)
    for k, p in enumerate(perts):
        dx, dy = mx[p] - origin, my[p] - origin
        put("systema", "pearson_delta", p, pearsonr(dy, dx)[0])
        top = np.argsort(-np.abs(dx), kind="stable")[:20]
        put("systema", "pearson_delta_top20", p, pearsonr(dy[top], dx[top])[0])
        far = np.array([np.linalg.norm(my[p] - mx[q]) for q in perts])
        put("systema", "centroid_accuracy", p, np.sum(far > far[k]) / (len(perts) - 1))

        put("perturbench", "rmse_average", p, np.sqrt(np.mean((mx[p] - my[p]) ** 2)))
        put("perturbench", "cosine_logfc", p, cos(change(mx, p), change(my, p)))
        place = lambda d: (rankdata(d)[k] - 1) / len(perts)
        put("perturbench", "rmse_rank_average", p, place([np.sqrt(np.mean((mx[p] - my[q]) ** 2)) for q in perts]))
        put("perturbench", "cosine_rank_logfc", p, place([1 - cos(change(mx, p), change(my, q)) for q in perts]))

        s, t = x[u == p], y[v == p]
        st, ss, tt = cdist(s, t), cdist(s, s), cdist(t, t)
        n, m = len(s), len(t)
        put("distances", "edistance_v", p, 2 * st.mean() - ss.mean() - tt.mean())
        put("distances", "edistance_u", p, 2 * st.mean() - ss.sum() / n / (n - 1) - tt.sum() / m / (m - 1))
        put("distances", "mmd", p, np.mean([np.exp(-g * ss**2).mean() + np.exp(-g * tt**2).mean() - 2 * np.exp(-g * st**2).mean() for g in np.logspace(1, -3, 50)]))
        put("distances", "wasserstein", p, np.mean([wasserstein_distance(s[:, j], t[:, j]) for j in range(s.shape[1])]))
        put("distances", "r2_mean", p, r2_score(s.mean(0), t.mean(0)))
        put("distances", "r2_variance", p, r2_score(s.var(0), t.var(0)))
    json.dump(out, sys.stdout)


main()
