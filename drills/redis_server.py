"""A Redis server for one drill, if `redis-server` is installed."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from drills.member import until

START_SECONDS = 20.0


def installed() -> bool:
    """Whether Redis is installed."""
    return shutil.which("redis-server") is not None


class RedisServer:
    """Without persistence, as a Redis used as a cache: its data is lost when it ends."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it and wait until it answers; returns its address."""
        self.folder.mkdir(exist_ok=True)
        command = [
            *("redis-server", "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        if until(self._answers, START_SECONDS) is None:
            raise RuntimeError("the drill's Redis did not start")
        return f"redis://127.0.0.1:{self.port}/0"

    def _answers(self) -> bool:
        import redis

        try:
            return bool(redis.Redis(port=self.port, socket_timeout=1).ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def away_for(self, seconds: float) -> None:
        """Stop it, and start it again after that time."""
        self.stop()
        time.sleep(seconds)
        self.start()
