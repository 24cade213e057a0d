"""Writes golden.json: the arithmetic of the trainers in plain NumPy, from the formulas.

Run: python golden.py > golden.json  (NumPy 2.4.6)
"""
import json

import numpy as np

rewards = np.array([1, 0, 0, 1, 0.5, 0.5, 0.5, 0.5, 0.2, 0.9, -1.5, 2.0])
groups = np.repeat([0, 1, 2], 4)
g = rewards.reshape(3, 4)
centred = (g - g.mean(1, keepdims=True)).ravel()
std = np.repeat(g.std(1, ddof=1), 4)
adv = {
    "trl/group": centred / (std + 1e-4),
    "trl/batch": centred / (rewards.std(ddof=1) + 1e-4),
    "trl/none": centred,
    "verl/group": centred / (std + 1e-6),
    "verl/none": centred,
    "openrlhf/group": centred / (std + 1e-9),
    "scalerl/batch": centred / centred.std(ddof=1),
}

lp = [[-0.5, -1.2, -0.3], [-2.0, -0.1], [-0.7, -0.4, -1.1, -0.2], [-1.5]]
old = [[-0.9, -1.0, -0.3], [-1.2, -0.6], [-0.7, -1.4, -1.0, -0.8], [-3.5]]
ref = [[-0.6, -1.2, -0.1], [-1.9, -0.4], [-0.9, -0.5, -1.0, -0.2], [-1.0]]
A = [1.0, -1.0, 0.5, -0.5]
prompts = [0, 0, 1, 1]


def aggregate(tok, how, most=8):
    if how == "token":
        return np.concatenate(tok).mean()
    if how == "sequence":
        return np.mean([t.mean() for t in tok])
    if how == "sequence-sum":
        return np.mean([t.sum() for t in tok])
    if how == "constant":
        return np.concatenate(tok).sum() / (len(tok) * most)
    if how == "sum-constant":
        return np.concatenate(tok).sum() / most
    return np.mean([np.concatenate([t for t, q in zip(tok, prompts) if q == p]).mean() for p in (0, 1)])


def tokens(objective, low, high, dual, beta):
    out = []
    for a, l, o, r in zip(A, lp, old, ref):
        l, o, r = map(np.array, (l, o, r))
        rho = np.exp(np.full(len(l), (l - o).mean())) if objective == "gspo" else np.exp(l - o)
        if objective == "cispo":
            loss = -np.minimum(rho, high) * a * l
        else:
            loss = np.maximum(-rho * a, -np.clip(rho, 1 - low, 1 + high) * a)
            if dual and a < 0:
                loss = np.minimum(loss, -dual * a)
        out.append(loss + beta * (np.exp(r - l) - (r - l) - 1))
    return out


losses = []
for objective, low, high, dual, beta in [
    ("clip", 0.2, 0.2, 0, 0), ("clip", 0.2, 0.28, 0, 0), ("clip", 0.2, 0.28, 3, 0), ("clip", 0.2, 0.28, 0, 0.04),
    ("gspo", 3e-4, 4e-4, 0, 0), ("cispo", 0, 5, 0, 0), ("cispo", 0, 1.5, 0, 0.1),
]:
    for how in ["token", "sequence", "sequence-sum", "constant", "sum-constant", "prompt"]:
        losses.append(dict(objective=objective, low=low, high=high, dual=dual, beta=beta, aggregation=how,
                           loss=float(aggregate(tokens(objective, low, high, dual, beta), how))))

print(json.dumps(dict(
    rewards=rewards.tolist(), groups=groups.tolist(), advantages={k: v.tolist() for k, v in adv.items()},
    logprob=lp, old=old, ref=ref, advantage=A, prompts=prompts, losses=losses), indent=1))
