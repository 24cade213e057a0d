"""The tasks: cells to sentences and back, models, and measures of both."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anndata
import numpy as np
import pandas as pd

from ._binary import run
from ._cells import Cells, embedding_file, folder, gene_file, matrix_file, names

__all__ = ["Fidelity", "annotate", "decode", "embed", "encode", "fidelity", "scfid"]


def encode(
    cells: Cells,
    *,
    top_k: int = 0,
    ties: Literal["random", "python", "index"] = "random",
    obs: Sequence[str] = (),
    layer: str | None = None,
    use_raw: bool = False,
    seed: int = 42,
    flags: Sequence[str] = (),
) -> pd.DataFrame:
    """Turns cells into cell sentences: their expressed genes, by falling expression.

    Args:
        cells: an AnnData object or a file. Raw counts and log-normalised values give
            the same sentences; scaled values are refused: name a layer, or use_raw.
        top_k: how many genes a sentence keeps; 0 keeps all.
        ties: the order of genes of equal value: at random (by seed, cell and gene), as
            the Python package cell2sentence has it, or that of the genes.
        obs: columns of obs that go along.
        layer: the layer to take instead of X.
        use_raw: take raw.X instead.
        seed: of the random order.
        flags: further flags of ``c2s encode``, word by word.

    Returns:
        A row a cell, named as in obs: ``cell_sentence``, the columns of ``obs``,
        ``c2s_n_genes`` (expressed genes before top_k) and ``c2s_total`` (their sum).
    """
    with folder() as temp:
        path, matrix = matrix_file(cells, temp, layer, use_raw, obs)
        out = temp / "cells.jsonl"
        run("encode", path, *matrix, f"--top-k={top_k}", f"--ties={ties}", f"--obs={','.join(obs)}", f"--seed={seed}", *flags, "-o", out)
        with out.open(encoding="utf-8") as lines:
            table = pd.DataFrame.from_records([json.loads(line) for line in lines], columns=_encoded(obs))
    return _by_cell(table, names(cells) if len(table) == _length(cells) else None)


def _encoded(obs: Sequence[str]) -> list[str]:
    return ["cell_name", "cell_sentence", *obs, "c2s_n_genes", "c2s_total"]


@dataclass(frozen=True)
class Fidelity:
    """What sentences keep of the expression of some cells.

    Attributes:
        verdict: the result in words.
        metrics: a row for each rank model, ``linear`` and ``conditional``, measured on
            cells that the models were not fitted on: r2, pearson, spearman, mae, …;
            the columns that end in _ci have 95 % intervals.
        rank_model: for ``decode``: turns places in a sentence into expression.
        units: of that expression.
    """

    verdict: str
    metrics: pd.DataFrame
    rank_model: Mapping[str, Any]
    units: str


def fidelity(cells: Cells, *, layer: str | None = None, use_raw: bool = False, seed: int = 42, flags: Sequence[str] = ()) -> Fidelity:
    """Fits rank models on half of the cells and measures them on the others.

    Args:
        cells, layer, use_raw, seed: as in ``encode``.
        flags: further flags of ``c2s fidelity``, word by word.
    """
    with folder() as temp:
        path, matrix = matrix_file(cells, temp, layer, use_raw)
        out = temp / "fidelity"
        result = json.loads(run("fidelity", path, *matrix, f"--seed={seed}", *flags, "--json", "-o", out))
        model = json.loads((out / "rank.json").read_text(encoding="utf-8"))
    kinds = ["linear", "conditional"]
    metrics = pd.DataFrame.from_records([result[kind] for kind in kinds], index=kinds)
    return Fidelity(result["verdict"], metrics, model, result["units"])


def decode(
    sentences: pd.DataFrame | pd.Series[str] | Sequence[str],
    genes: Sequence[str] | pd.Index[str],
    rank_model: Mapping[str, Any],
    *,
    n_genes: Literal["auto", "column"] | int = "auto",
    flags: Sequence[str] = (),
) -> anndata.AnnData:
    """Turns sentences back into expression.

    Args:
        sentences: the result of ``encode``, or any table with a column
            ``cell_sentence``, or sentences.
        genes: the genes of the result, such as ``adata.var_names``.
        rank_model: of ``fidelity``, from cells like these.
        n_genes: the number of expressed genes of a cell: that of its sentence, that in
            the column ``c2s_n_genes``, or one for all.
        flags: further flags of ``c2s decode``, word by word.

    Returns:
        An object with the expression in the units of the rank model as X (CSR
        float32), the other columns of the table in obs, and how it was made in uns.
    """
    table = _sentences(sentences)
    with folder() as temp:
        model, lines, out = (temp / name for name in ("rank.json", "cells.jsonl", "decoded.h5ad"))
        vocabulary = gene_file(genes, temp)
        model.write_text(json.dumps(dict(rank_model)), encoding="utf-8")
        table.to_json(lines, orient="records", lines=True, force_ascii=False)
        run("decode", lines, "--rank-model", model, "--vocab", vocabulary, f"--n-genes={n_genes}", *flags, "-o", out)
        decoded = anndata.read_h5ad(out)
    return decoded


def _sentences(sentences: pd.DataFrame | pd.Series[str] | Sequence[str]) -> pd.DataFrame:
    """The table that c2s reads: the name of a cell, its sentence, and what goes along."""
    if isinstance(sentences, pd.Series):
        sentences = sentences.to_frame("cell_sentence")
    elif not isinstance(sentences, pd.DataFrame):
        sentences = pd.DataFrame({"cell_sentence": list(sentences)})
    if "cell_sentence" not in sentences:
        raise ValueError(f"no column cell_sentence among {list(sentences)}")
    table = sentences.drop(columns=["cell_name"], errors="ignore")
    table.insert(0, "cell_name", sentences.index.astype(str))
    return table


def annotate(
    cells: Cells,
    backend: str,
    *,
    model: str | None = None,
    labels: Sequence[str] | None = None,
    cluster: str | None = None,
    organism: str = "Homo sapiens",
    top_k: int = 0,
    abstain: float = 0,
    layer: str | None = None,
    use_raw: bool = False,
    seed: int = 42,
    journal: str | os.PathLike[str] | None = None,
    flags: Sequence[str] = (),
) -> pd.DataFrame:
    """Lets a model tell the types of cells.

    Args:
        cells, layer, use_raw, seed: as in ``encode``.
        backend: who is asked: ``"demo"`` (the toy model inside c2s, for simulated
            cells), ``"llamacpp://host:port"``, ``"ollama://host:port"`` or
            ``"openai://host:port/v1"``, each also with ``+https``.
        model: its name on the server.
        labels: the types to choose from: each is scored as the whole answer. None lets
            the model answer freely.
        cluster: a column of obs: the cells of a cluster get one label.
        organism: the species in the prompt.
        top_k: how many genes of a cell are shown; 0 takes 200, as C2S models were
            trained.
        abstain: no label for cells whose confidence is below.
        journal: a file that keeps answers, so that none is asked for again.
        flags: further flags of ``c2s annotate``, word by word.

    Returns:
        A row a cell, named as in obs: ``cell_type`` (missing where there is none),
        ``confidence``, ``answer`` (what the model said), ``valid`` (whether that is a
        type, or one of the labels), ``stop`` (why it ended) and ``abstained``. ``attrs``
        has the model, its digest and the notice that must stand beside results made
        with it.
    """
    with folder() as temp:
        path, matrix = matrix_file(cells, temp, layer, use_raw, [cluster] if cluster is not None else [])
        out = temp / "types.tsv"
        asked = [*matrix, *_backend(backend, model, journal), f"--organism={organism}", f"--top-k={top_k}", f"--abstain={abstain}", f"--seed={seed}"]
        if labels is not None:
            (temp / "labels.txt").write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
            asked += ["--labels", os.fspath(temp / "labels.txt")]
        if cluster is not None:
            asked += ["--cluster", cluster]
        result = json.loads(run("annotate", path, *asked, *flags, "--json", "-o", out))
        table = pd.read_csv(out, sep="\t", quoting=csv.QUOTE_NONE, keep_default_na=False, dtype=str).map(_untabled)
    table.columns = table.columns.str.removeprefix("c2s_")
    table["cell_type"] = table["cell_type"].replace("", None).astype("category")
    table["confidence"] = pd.to_numeric(table["confidence"])
    for flag in ("valid", "abstained"):
        table[flag] = table[flag] == "true"
    table = _by_cell(table, names(cells))
    table.attrs = {key: result[key] for key in ("model", "digest", "notice")}
    return table


def _untabled(cell: str) -> str:
    """A text as it was before c2s made it safe for spreadsheets."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell


def embed(
    cells: Cells,
    backend: str | None = None,
    *,
    method: Literal["model", "pca"] = "model",
    model: str | os.PathLike[str] | None = None,
    pooling: Literal["mean", "last"] = "mean",
    layer: str | None = None,
    use_raw: bool = False,
    seed: int = 42,
    flags: Sequence[str] = (),
) -> pd.DataFrame:
    """Places cells in an embedding space.

    Args:
        cells, layer, use_raw, seed: as in ``encode``.
        backend: who is asked, as in ``annotate``; None for method pca.
        method: the states of a cell-sentence model, or principal components of
            log-normalised counts.
        model: its name on the server; for pca a file of ``--save``, to place cells by
            the components of others.
        pooling: one vector of the states at the tokens of the prompt.
        flags: further flags of ``c2s embed``, word by word, such as
            ``["--components", "20", "--save", "pca.json"]``.

    Returns:
        A row a cell, named as in obs (numbered for a file), a column a dimension,
        float32: ``adata.obsm["X_c2s"] = embed(…).to_numpy()``. ``attrs`` has the model
        and its notice.
    """
    with folder() as temp:
        path, matrix = matrix_file(cells, temp, layer, use_raw)
        out = temp / "embedding.npy"
        asked = [*matrix, f"--method={method}", f"--seed={seed}"]
        if method == "model":
            asked.append(f"--pooling={pooling}")
        asked += _backend(backend, model, None)
        result = json.loads(run("embed", path, *asked, *flags, "--json", "-o", out))
        table = pd.DataFrame(np.load(out), index=names(cells))
    table.attrs = {key: result[key] for key in ("method", "model", "notice")}
    return table


def scfid(
    real: Cells | np.ndarray | pd.DataFrame,
    gen: Cells | np.ndarray | pd.DataFrame,
    *,
    key: str | None = None,
    groupby: Sequence[str] | str = (),
    donor: str | None = None,
    seed: int = 42,
    flags: Sequence[str] = (),
) -> pd.DataFrame:
    """The Fréchet distance of generated from real cells, and what it is worth.

    Args:
        real, gen: embeddings of one space: an object or file with a matrix ``key`` in
            obsm, or a matrix with a row a cell.
        key: which one.
        groupby: columns of obs: compare their groups, too. Their unweighted mean is
            scFID, in the column ``mean_over_groups`` of the first row.
        donor: the column of the donors: adds the floor between donors.
        seed: of splits, subsets and permutations.
        flags: further flags of ``c2s scfid``, word by word.

    Returns:
        A row ``all`` and one for each group: ``fd``, ``ci_lo`` and ``ci_hi`` (95 %,
        without bias), ``bias_floor``, ``fd_infinity``, ``kid_mean``, ``precision``,
        ``recall``, ``permutation_p``, … ``attrs`` has the verdict in words and the
        sentence for the methods section.
    """
    columns = [groupby] if isinstance(groupby, str) else list(groupby)
    labels = [*columns, *([donor] if donor is not None else [])]
    with folder() as temp:
        files: list[Path] = []
        keyed = False
        for name, cells in (("real", real), ("gen", gen)):
            (temp / name).mkdir()
            path, needs = embedding_file(cells, temp / name, key, labels)
            files.append(path)
            keyed = keyed or needs
        asked = [f"--seed={seed}"]
        if keyed and key is not None:
            asked += ["--key", key]
        if columns:
            asked += ["--groupby", ",".join(columns)]
        if donor is not None:
            asked += ["--donor", donor]
        result = json.loads(run("scfid", *files, *asked, *flags, "--json"))
    rows = {"all": _scores(result)} | {group["key"]: _scores(group) for group in result.get("groups") or []}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.attrs = {key: result[key] for key in ("verdict", "methods")}
    return table


def _scores(result: Mapping[str, Any]) -> dict[str, Any]:
    """The scores of a comparison as one row: pairs and parts become columns."""
    row: dict[str, Any] = {}
    for name, value in result.items():
        if name == "ci":
            row["ci_lo"], row["ci_hi"] = value or (np.nan, np.nan)
        elif name in ("kid", "mmd"):
            row |= {f"{name}_{part}": v for part, v in value.items()}
        elif isinstance(value, (int, float)) and name != "seed" or value is None:
            row[name] = np.nan if value is None else value
    return row


def _backend(backend: str | None, model: str | os.PathLike[str] | None, journal: str | os.PathLike[str] | None) -> list[str]:
    flags = []
    for flag, value in (("--backend", backend), ("--model", model), ("--journal", journal)):
        if value is not None:
            flags += [flag, os.fspath(value)]
    return flags


def _by_cell(table: pd.DataFrame, index: pd.Index[str] | None) -> pd.DataFrame:
    if index is None:
        return table.set_index("cell_name")
    return table.drop(columns="cell_name").set_index(index)


def _length(cells: Cells) -> int:
    return cells.n_obs if isinstance(cells, anndata.AnnData) else -1
