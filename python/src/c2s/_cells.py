"""Cells as c2s takes them: a file, or an AnnData object that is written to one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import anndata
import numpy as np
import pandas as pd
import scipy.sparse

from ._binary import C2SError

Cells: TypeAlias = "anndata.AnnData | str | os.PathLike[str]"
"""Cells: an AnnData object, or the path of any file that c2s reads."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for the files that go to c2s and come from it.

    An error about one of them does not name the folder, which is gone when it is read.
    """
    with tempfile.TemporaryDirectory(prefix="c2s-") as name:
        try:
            yield Path(name)
        except C2SError as error:
            raise error.without(os.path.join(name, "")) from None


def matrix_file(cells: Cells, into: Path, layer: str | None, use_raw: bool, obs: Sequence[str] = ()) -> tuple[Path, list[str]]:
    """The file of the cells' matrix and the flags that choose it.

    Of an object only the matrix and the columns ``obs`` are written: what else it
    holds may be large, or of a kind that no file takes.
    """
    if layer is not None and use_raw:
        raise ValueError("layer and use_raw exclude each other")
    if not isinstance(cells, anndata.AnnData):
        flags = ["--layer", layer] if layer is not None else ["--raw"] if use_raw else []
        return Path(cells), flags
    if use_raw and cells.raw is None:
        raise ValueError("use_raw: the object has no raw")
    x = cells.raw.X if use_raw else cells.X if layer is None else cells.layers[layer]
    var = cells.raw.var if use_raw else cells.var
    slim = anndata.AnnData(X=in_memory(x), obs=cells.obs[list(obs)], var=pd.DataFrame(index=var.index))
    path = into / "cells.h5ad"
    slim.write_h5ad(path)
    return path, []


def gene_file(genes: Sequence[str] | pd.Index[str], into: Path) -> Path:
    """The file that tells c2s the genes of an output, in order and as they are spelt."""
    path = into / "genes.h5ad"
    x = scipy.sparse.csr_matrix((1, len(genes)), dtype=np.float32)
    anndata.AnnData(X=x, var=pd.DataFrame(index=pd.Index(genes))).write_h5ad(path)
    return path


def in_memory(x: object) -> object:
    """The values of a matrix that is backed by a file."""
    load = getattr(x, "to_memory", None)
    return x if load is None else load()


def embedding_file(cells: Cells | np.ndarray | pd.DataFrame, into: Path, key: str | None, obs: Sequence[str]) -> tuple[Path, bool]:
    """The file of an embedding, and whether it needs the name of a key."""
    if isinstance(cells, anndata.AnnData):
        if key is None:
            raise ValueError(f"key is missing: name one of {sorted(cells.obsm)}")
        slim = anndata.AnnData(obs=cells.obs[list(obs)], obsm={key: np.asarray(in_memory(cells.obsm[key]))})
        path = into / "embedding.h5ad"
        slim.write_h5ad(path)
        return path, True
    if isinstance(cells, (np.ndarray, pd.DataFrame)):
        if obs:
            raise ValueError("groupby and donor need the labels of an AnnData object or a file")
        path = into / "embedding.npy"
        np.save(path, np.asarray(cells, dtype=np.float64))
        return path, False
    path = Path(cells)
    return path, path.suffix in (".h5ad", ".parquet")


def names(cells: Cells) -> pd.Index[str] | None:
    """The names of the cells, None for a file, whose names c2s tells."""
    return cells.obs_names if isinstance(cells, anndata.AnnData) else None
