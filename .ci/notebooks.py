"""Executes notebooks by nbconvert, as Jupyter does.

    notebooks.py check FILE...    fails on an error in a cell; tells which outputs are no
                                  longer those in the file
    notebooks.py update FILE...   writes the outputs into the file

What is kept of an execution is what is the same the next time: no times, no ids of
kernels, and the lines of a stream as one output.
"""

import sys
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ClearMetadataPreprocessor, CoalesceStreamsPreprocessor, ExecutePreprocessor

MOST = 200_000  # bytes of a notebook with its outputs


def execute(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    steps = [
        ExecutePreprocessor(timeout=None),
        CoalesceStreamsPreprocessor(),
        ClearMetadataPreprocessor(preserve_nb_metadata_mask={("language_info", "name"), "kernelspec"}),
    ]
    for step in steps:
        notebook, _ = step.preprocess(notebook, {"metadata": {"path": str(path.parent)}})
    return notebook


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """What each cell says, without its pictures."""
    said = []
    for cell in notebook.cells:
        parts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.get("outputs", [])]
        said.append("".join(part for part in parts if not part.startswith("<Figure")))
    return said


def main() -> int:
    task, *files = sys.argv[1:]
    for path in map(Path, files):
        print(f"-- {path}", flush=True)
        fresh = execute(path)
        if task == "update":
            nbformat.write(fresh, path)
        else:
            committed = texts(nbformat.read(path, as_version=4))
            for number, (old, new) in enumerate(zip(committed, texts(fresh), strict=True)):
                if old != new:
                    print(f"cell {number} of {path} says\n{new}\nwhere the file has\n{old}")
        size = path.stat().st_size
        print(f"{path}: {size} bytes")
        if size > MOST:
            print(f"more than {MOST}: make its pictures fewer or smaller")
            return 1
    return 0


sys.exit(main())
