"""A small disk for one drill, which can be filled: a `tmpfs`, only as root."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

SIZE = "64m"
BLOCK = 4096


class SmallDisk:
    """Mounted at one folder."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def mount(self, folder: Path) -> None:
        """Make the folder and mount the disk there."""
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "drill", folder], check=True)
        self._folder = folder

    def unmount(self) -> None:
        """Whatever stands there is gone."""
        if self._folder is not None:
            subprocess.run(["umount", "--lazy", self._folder], check=True)

    def fill(self) -> None:
        """Take the last free byte."""
        with suppress(OSError), self._filler().open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(BLOCK))

    def empty(self) -> None:
        """Give all of it back."""
        self._filler().unlink()

    def _filler(self) -> Path:
        assert self._folder is not None
        return self._folder / "filler"
