"""c2s for people who live in scanpy: cell sentences of AnnData objects.

Start with ``encode`` (cells to sentences), ``annotate`` and ``embed`` (a model's answer
for each cell), and ``scfid`` (real against generated cells). Each runs the c2s binary
that came with this package on the object, or on a file if a path is given, and returns
a pandas DataFrame whose rows are the cells. ``run`` runs any other command.

>>> import anndata, c2s
>>> adata = anndata.read_h5ad("cells.h5ad")
>>> c2s.encode(adata, top_k=200)["cell_sentence"].iloc[0]
'CD3E FAU SELL …'

Errors of the command become ``C2SError`` with its message, warnings ``C2SWarning``.
"""

from ._binary import C2SError, C2SWarning, binary, run
from ._cells import Cells
from ._tasks import Fidelity, annotate, decode, embed, encode, fidelity, scfid

__all__ = [
    "C2SError",
    "C2SWarning",
    "Cells",
    "Fidelity",
    "annotate",
    "binary",
    "decode",
    "embed",
    "encode",
    "fidelity",
    "run",
    "scfid",
]
