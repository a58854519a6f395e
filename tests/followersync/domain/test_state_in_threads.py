"""A worker's first batch begins with several threads at once, and none of them brings it down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

#: msgspec builds what it knows of a type at its first use. A second thread that comes meanwhile
#: used to read the half of it: a segmentation fault, which took the batch along.
FIRST_USE = """
import sys, threading
from followersync.domain import state
sys.setswitchinterval(1e-7)
begun = False
def begin():
    while not begun:
        pass
    for _ in range(20):
        state.load({"memory": {}, "full scan": None, "run": None})
threads = [threading.Thread(target=begin) for _ in range(8)]
for each in threads: each.start()
begun = True
for each in threads: each.join()
"""


@pytest.mark.parametrize("time", range(8))
def test_the_first_use_by_several_threads_at_once_brings_nobody_down(time: int) -> None:
    ended = subprocess.run([sys.executable, "-c", FIRST_USE], cwd=ROOT, check=False, timeout=60)

    assert ended.returncode == 0
