"""Puts the c2s binary into the wheel, among its scripts, as ruff's wheel does.

The binary is built by Go from this checkout, for the platform that GOOS and GOARCH
name (default: this one). It is static, so that one Linux wheel fits glibc and musl.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLATFORMS = {
    ("linux", "amd64"): "manylinux_2_17_x86_64.musllinux_1_1_x86_64",
    ("linux", "arm64"): "manylinux_2_17_aarch64.musllinux_1_1_aarch64",
    ("darwin", "amd64"): "macosx_12_0_x86_64",  # the oldest that Go 1.26 runs on
    ("darwin", "arm64"): "macosx_12_0_arm64",
    ("windows", "amd64"): "win_amd64",
    ("windows", "arm64"): "win_arm64",
}


class BinaryHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root).parent
        wanted = subprocess.run(["go", "env", "GOOS", "GOARCH"], cwd=root, check=True, capture_output=True, text=True)
        system, machine = wanted.stdout.split()
        name = "c2s.exe" if system == "windows" else "c2s"
        self.folder = tempfile.TemporaryDirectory()
        binary = Path(self.folder.name, name)
        subprocess.run(
            ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "./cmd/c2s"],
            cwd=root,
            env={**os.environ, "CGO_ENABLED": "0"},
            check=True,
        )
        build_data["tag"] = f"py3-none-{PLATFORMS[system, machine]}"
        build_data["pure_python"] = False
        build_data["shared_scripts"] = {str(binary): name}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self.folder.cleanup()
