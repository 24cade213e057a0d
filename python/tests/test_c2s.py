"""Tests of the installed wheel: pytest python/tests, anywhere outside src."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

import anndata
import c2s
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

DEMO = Path(__file__).parents[2] / "testdata" / "demo.h5ad"


@pytest.fixture
def adata() -> anndata.AnnData:
    return anndata.read_h5ad(DEMO)


def temporary() -> set[str]:
    return {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("c2s-")}


def test_binary_is_the_scripts() -> None:
    version = subprocess.run([c2s.binary(), "version"], check=True, capture_output=True, text=True).stdout
    assert version.startswith("c2s ")
    assert c2s.run("version") == version


def test_encode_is_the_expression_sorted(adata: anndata.AnnData) -> None:
    before = temporary()
    table = c2s.encode(adata, top_k=10, obs=["cell_type"])
    assert temporary() == before, "files were left behind"
    assert list(table.columns) == ["cell_sentence", "cell_type", "c2s_n_genes", "c2s_total"]
    assert table.index.equals(adata.obs_names)
    assert (table["cell_type"] == adata.obs["cell_type"]).all()
    x = scipy.sparse.csr_matrix(adata.X)
    assert (table["c2s_n_genes"].to_numpy() == x.getnnz(axis=1)).all()
    np.testing.assert_allclose(table["c2s_total"], np.asarray(x.sum(axis=1)).ravel())
    for row in (0, 99, 499):
        values = x[row].toarray().ravel()
        words = [values[adata.var_names.get_loc(gene)] for gene in table["cell_sentence"].iloc[row].split()]
        assert words == sorted(values, reverse=True)[:10]


def test_encode_of_object_file_view_and_dense_are_one(adata: anndata.AnnData, tmp_path: Path) -> None:
    want = c2s.encode(adata)["cell_sentence"]
    pd.testing.assert_series_equal(want, c2s.encode(DEMO)["cell_sentence"], check_names=False)
    dense = adata.copy()
    dense.X = scipy.sparse.csr_matrix(adata.X).toarray()
    assert (c2s.encode(dense)["cell_sentence"] == want).all()
    assert (c2s.encode(adata, layer="lognorm")["c2s_n_genes"] == c2s.encode(adata)["c2s_n_genes"]).all()
    adata.raw = adata
    assert (c2s.encode(adata, use_raw=True)["cell_sentence"] == want).all()
    backed = anndata.read_h5ad(DEMO, backed="r")
    assert (c2s.encode(backed)["cell_sentence"] == want).all()
    # What cannot be written to a file does not matter.
    adata.uns["function"] = temporary
    view = adata[adata.obs["donor"] == "D1"]
    assert c2s.encode(view).index.equals(view.obs_names)


def test_there_and_back(adata: anndata.AnnData) -> None:
    fit = c2s.fidelity(adata)
    assert list(fit.metrics.index) == ["linear", "conditional"]
    assert fit.metrics["r2"]["conditional"] > fit.metrics["r2"]["linear"] > 0.9
    assert "log10" in fit.units and "%" in fit.verdict
    sentences = c2s.encode(adata, obs=["donor"])
    back = c2s.decode(sentences, adata.var_names, fit.rank_model, n_genes="column")
    assert back.obs_names.equals(adata.obs_names)
    assert list(back.var_names) == list(adata.var_names)
    assert (back.obs["donor"] == adata.obs["donor"]).all()
    # As expressed as before, and as c2s fidelity says: 0.97 of the variance.
    x = scipy.sparse.csr_matrix(adata.X).toarray()
    y = back.X.toarray()
    assert ((x > 0) == (y > 0)).all()
    totals = x.sum(axis=1, keepdims=True)
    logged = np.log10(1 + x / totals * np.median(totals))
    on = x > 0
    assert 1 - ((logged - y)[on] ** 2).sum() / ((logged[on] - logged[on].mean()) ** 2).sum() > 0.95
    # Genes keep their spelling, whatever that of the sentence.
    alone = c2s.decode(["CD3E C1ORF54", "C1ORF54"], ["CD3E", "C1orf54"], fit.rank_model)
    assert list(alone.var_names) == ["CD3E", "C1orf54"]
    assert (alone.X.toarray() > 0).tolist() == [[True, True], [False, True]]
    with pytest.raises(ValueError, match="cell_sentence"):
        c2s.decode(pd.DataFrame({"sentence": ["A"]}), ["A"], fit.rank_model)


def test_annotate(adata: anndata.AnnData) -> None:
    some = adata[:40].copy()
    some.obs["cell_type"] = some.obs["cell_type"].astype(str)
    some.obs_names = ["=first", *some.obs_names[1:]]
    table = c2s.annotate(some, "demo")
    assert list(table.columns) == ["cell_type", "confidence", "answer", "valid", "stop", "abstained"]
    assert table["valid"].all() and not table["abstained"].any()
    assert table.index.equals(some.obs_names)
    assert (table["cell_type"].astype(str) == some.obs["cell_type"]).mean() > 0.9
    assert table["confidence"].between(0, 1).all()
    assert "simulated" in table.attrs["notice"] and table.attrs["digest"].startswith("sha256:")
    # A closed list: the probabilities of the labels; who is unsure gets none.
    two = c2s.annotate(some, "demo", labels=["B cell", "Monocyte"], abstain=1)
    assert set(two["cell_type"].cat.categories) <= {"B cell", "Monocyte"} and two["cell_type"].isna().any()
    assert (two["abstained"] == two["cell_type"].isna()).all()
    voted = c2s.annotate(some, "demo", labels=list(set(some.obs["cell_type"])), cluster="cell_type")
    assert voted.groupby(some.obs["cell_type"])["cell_type"].nunique().max() == 1


def test_embed_and_scfid(adata: anndata.AnnData, tmp_path: Path) -> None:
    pca = tmp_path / "pca.json"
    table = c2s.embed(adata, method="pca", flags=["--components", "5", "--save", str(pca)])
    assert table.shape == (500, 5) and table.index.equals(adata.obs_names)
    # As singular values have it: sorted, and the components are uncorrelated.
    corr = np.corrcoef(table.to_numpy(), rowvar=False)
    np.testing.assert_allclose(corr, np.eye(5), atol=1e-3)
    adata.obsm["X"] = table.to_numpy()
    low, high = (adata[adata.obs["context"] == context] for context in sorted(set(adata.obs["context"])))
    placed = c2s.embed(low, method="pca", model=pca)
    np.testing.assert_allclose(placed.to_numpy(), low.obsm["X"], rtol=1e-4, atol=1e-4)
    scores = c2s.scfid(low, high, key="X", groupby="cell_type", donor="donor")
    assert scores.index[0] == "all" and set(scores.index[1:]) == set(adata.obs["cell_type"])
    assert scores["n_real"].iloc[0] == low.n_obs and scores["n_real"].iloc[1:].sum() == low.n_obs
    assert scores["mean_over_groups"].iloc[0] == pytest.approx(scores["fd"].iloc[1:].mean())
    assert np.isfinite(scores["donor_floor"].iloc[0]) and "distance" in scores.attrs["verdict"]
    # The distance by its definition, by NumPy.
    a, b = low.obsm["X"].astype(float), high.obsm["X"].astype(float)
    sa, sb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(sa @ sb).real.clip(0)).sum()
    want = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(sa) + np.trace(sb) - 2 * root
    assert scores["fd"].iloc[0] == pytest.approx(want, rel=1e-9)
    assert c2s.scfid(a, pd.DataFrame(b))["fd"].iloc[0] == pytest.approx(want, rel=1e-9)
    with pytest.raises(ValueError, match="name one of"):
        c2s.scfid(low, high)


def test_model_embedding(adata: anndata.AnnData) -> None:
    table = c2s.embed(adata[:6], "demo")
    assert table.index.equals(adata.obs_names[:6]) and "simulated" in table.attrs["notice"]
    np.testing.assert_allclose(np.linalg.norm(table, axis=1), 1, rtol=1e-5)


def test_errors_are_those_of_the_command(adata: anndata.AnnData) -> None:
    before = temporary()
    adata.X = (adata.layers["lognorm"].toarray() - 0.3) / 2
    with pytest.raises(c2s.C2SError, match="scaled") as caught:
        c2s.encode(adata)
    assert caught.value.code == 3 and caught.value.hint
    assert str(caught.value).startswith("cells.h5ad: row 0")
    with pytest.raises(c2s.C2SError, match="unknown flag: --nonsense") as caught:
        c2s.run("encode", "--nonsense")
    assert caught.value.code == 2
    with pytest.raises(c2s.C2SError) as caught:
        c2s.annotate(adata, "llamacpp://127.0.0.1:9", layer="lognorm")
    assert caught.value.code == 4
    with pytest.raises(ValueError, match="exclude"):
        c2s.encode(adata, layer="lognorm", use_raw=True)
    assert temporary() == before


def test_warnings_are_those_of_the_command(adata: anndata.AnnData) -> None:
    with pytest.warns(c2s.C2SWarning, match="simulated") as caught:
        c2s.annotate(adata[:2], "demo")
    assert caught[0].filename == __file__


def test_stdin() -> None:
    line = json.dumps({"cell_name": "a", "cell_sentence": "CD3E LYZ", "cell_type": "T cell"})
    flags = ["--task", "cell_type_prediction", "--set", "organism=Homo sapiens", "-o", "-"]
    pair = json.loads(c2s.run("dataset", "build", "-", *flags, stdin=line))
    assert "CD3E LYZ" in pair["model_input"] and "T cell" in pair["response"]
