"""The baseline and the replicate of the 2026 challenge, as Arc's cell-eval2 makes them,
as JSON.

usage: challenge.py REAL CONTROL

Labels are in obs "target". Prints {member: {"baseline": [a value for each of three
seeds], "replicate": mean of five splits, "sd": theirs}}.
"""
import json
import logging
import sys
import warnings
from dataclasses import replace

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import anndata as ad
from cell_eval2 import EvalConfig, compute_metrics
from cell_eval2.anchor import compute_replicate_anchor
from cell_eval2.baseline import build_baseline_prediction, generic_response_profile
from cell_eval2.run import aggregate_metrics

RATIO = "expr_mse_unbiased_capped_norm", "expr_mse_unbiased_capped", "expr_distance_unbiased"


def main():
    path, control = sys.argv[1:]
    real = ad.read_h5ad(path)
    config = replace(EvalConfig.from_preset("vcc2026"), control=control, pert_col="target", cache_strict=False)
    profile = generic_response_profile(real, pert_col="target", control=control)
    out = {}
    for seed in range(3):
        pred = build_baseline_prediction(profile, real, pert_col="target", control=control, seed=seed)
        tidy = compute_metrics(pred, real, config=replace(config, allow_fractional_counts=True))
        agg = aggregate_metrics(tidy, metrics="vcc2026")
        mean = dict(zip(agg["metric"].to_list(), agg["mean"].to_list()))
        mean[RATIO[0]] = mean[RATIO[1]] / mean[RATIO[2]]
        for name, value in mean.items():
            out.setdefault(name, {"baseline": []})["baseline"].append(value)
    _, anchor = compute_replicate_anchor(real, config=config, n_splits=5)
    for row in anchor.to_dicts():
        out.setdefault(row["metric"], {"baseline": []}).update(replicate=row["replicate"], sd=row["replicate_sd"])
    json.dump(out, sys.stdout)


main()
