"""The c2s command: where it is, and how it is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

__all__ = ["C2SError", "C2SWarning", "binary", "run"]


class C2SError(RuntimeError):
    """What c2s says went wrong.

    Attributes:
        message: what the command printed.
        code: exit code: 1 failed, 2 wrong usage, 3 bad input, 4 no backend.
        hint: what to do about it, or None.
    """

    def __init__(self, message: str, code: int, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\nhint: {hint}")
        self.message = message
        self.code = code
        self.hint = hint

    def without(self, text: str) -> C2SError:
        """The error with a text left out of its message."""
        return C2SError(self.message.replace(text, ""), self.code, self.hint)


class C2SWarning(UserWarning):
    """A warning of c2s about data or a result."""


def binary() -> Path:
    """The c2s binary that came with this package.

    It is looked for where the installation put its scripts; then, as for a package
    that was installed with --target, beside the package; then on the PATH.
    """
    name = "c2s.exe" if sys.platform == "win32" else "c2s"
    user = sysconfig.get_path("scripts", scheme=sysconfig.get_preferred_scheme("user"))
    package = Path(__file__).resolve().parent
    for folder in (sysconfig.get_path("scripts"), user, package.parent / "bin"):
        path = Path(folder, name)
        if path.is_file():
            return path
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is neither among the scripts of this Python nor on the PATH: install c2s again")
    return Path(found)


def run(*args: str | os.PathLike[str], stdin: str | None = None) -> str:
    """Runs ``c2s ARGS...`` and returns what it prints on stdout.

    Args:
        args: words of the command line, such as ``"inspect", "cells.h5ad"``.
        stdin: text that the command reads where a file is called ``-``.

    Raises:
        C2SError: the command failed; the message is its own.

    Warns:
        C2SWarning: for each warning of the command.
    """
    command = [str(binary()), *(os.fspath(arg) for arg in args)]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            out, err = process.communicate(stdin)
        except BaseException:
            # An interrupt of the notebook: c2s ends cleanly on it, and leaves nothing.
            process.terminate()
            raise
    said = err.splitlines()
    if process.returncode != 0:
        raise _error(said, process.returncode)
    for line in said:
        if line.startswith("c2s: warning: "):
            warnings.warn(line.removeprefix("c2s: warning: "), C2SWarning, stacklevel=_outside())
    return out


def _error(said: list[str], code: int) -> C2SError:
    hint = None
    message: list[str] = []
    for line in said:
        if line.startswith("hint: "):
            hint = line.removeprefix("hint: ")
        elif not line.startswith("c2s: warning: "):
            message.append(line.removeprefix("c2s: "))
    return C2SError("\n".join(message) or f"c2s ended with exit code {code}", code, hint)


def _outside() -> int:
    """The stack level of the caller of this package, whom a warning concerns."""
    here = str(Path(__file__).parent)
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        level, frame = level + 1, frame.f_back
    return level
