"""predicted.py FILE OUT: computes the prediction of c2s predict --predictor additive, with
FILE as its own reference, again, and compares. The groups of context and cell type have
fewer than ten perturbed cells, so that shifts are those of the context: the mean over
cell types of the difference of means, by perturbed cells."""
import sys

import anndata
import numpy as np

a, b = anndata.read_h5ad(sys.argv[1]), anndata.read_h5ad(sys.argv[2])
assert list(a.var_names) == list(b.var_names)
x = np.asarray(a.X.todense(), dtype=np.float64)
x = np.log1p(1e4 * x / x.sum(axis=1, keepdims=True))
pert, context, kind = (a.obs[c].astype(str).to_numpy() for c in ("perturbation", "context", "cell_type"))

shifts = {}
for p in sorted(set(pert) - {"control"}):
    for c in sorted(set(context)):
        total, n = 0, 0
        for k in sorted(set(kind)):
            group = (context == c) & (kind == k)
            these = x[group & (pert == p)]
            assert 0 < len(these) < 10, len(these)
            total = total + len(these) * (these.mean(axis=0) - x[group & (pert == "control")].mean(axis=0))
            n += len(these)
        shifts[p, c] = total / n

row = {name: i for i, name in enumerate(a.obs_names)}
y = np.asarray(b.X.todense(), dtype=np.float64)
n = 0
for i, (name, p) in enumerate(zip(b.obs["c2s_source"].astype(str), b.obs["perturbation"].astype(str))):
    control = row[name]
    want = x[control] if p == "control" else np.maximum(0, x[control] + shifts[p, context[control]])
    # Values are float32, of numbers up to about 7.
    assert np.abs(y[i] - want).max() < 2e-6, (i, np.abs(y[i] - want).max())
    assert b.obs["context"].astype(str).iloc[i] == context[control] and b.obs["cell_type"].astype(str).iloc[i] == kind[control]
    assert bool(b.obs["c2s_control"].iloc[i]) == (p == "control")
    assert p == "control" or b.obs["c2s_level"].iloc[i] == "context"
    sentence = b.obs["cell_sentence"].iloc[i].split()
    assert len(sentence) == b.obs["c2s_n_genes"].iloc[i] == min(50, (y[i] > 0).sum())
    values = [y[i, b.var_names.get_loc(g)] for g in sentence]
    assert all(v >= w for v, w in zip(values, values[1:]))
    n += p != "control"
about = b.uns["c2s"]
assert about["predictor"] == "additive" and about["units"] == "ln(1 + counts per 10,000)", about
print(n, "predicted cells agree, anndata", anndata.__version__)
