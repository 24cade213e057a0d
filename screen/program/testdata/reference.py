"""U statistics of pyucell for random cells and programs, as JSON.

Run by the tests of screen/program with a Python that has pyucell 0.8.0.
"""

import json

import numpy as np
import pandas as pd
from anndata import AnnData
from pyucell import compute_ucell_scores

rng = np.random.default_rng(7)
genes = [f"G{i}" for i in range(60)]
# Distinct values, so that there are no ties; zeros are absent genes.
cells = np.stack([rng.permutation(60) for _ in range(40)]).astype(np.float32)
cells[cells < 15] = 0
programs = {
    "up": ["G1", "G5", "G9", "G12", "G40"],
    "missing": ["G2", "G3", "ELSEWHERE"],
    "signed": ["G1+", "G7+", "G20-", "G21-"],
    "one": ["G59"],
}
out = []
for max_rank in (60, 20):
    data = AnnData(cells, obs=pd.DataFrame(index=[str(i) for i in range(40)]), var=pd.DataFrame(index=genes))
    compute_ucell_scores(data, programs, max_rank=max_rank, n_jobs=1)
    for name, members in programs.items():
        out.append({"max_rank": max_rank, "genes": members, "u": data.obs[name + "_UCell"].astype(float).tolist()})
print(json.dumps({"genes": genes, "cells": cells.tolist(), "scores": out}))
