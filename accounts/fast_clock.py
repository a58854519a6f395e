"""A clock that runs many times faster, shared by all processes of one folder (CLOCK_SPEED).

For the demo, the soak and tests: the rules wait for hours between two looks, which pass in minutes
here. Site and sandbox read the same file, which holds since when the clock runs at which speed, so
that they agree, and so that a restart continues where the last process stopped. While no process
reads it, it runs at normal speed: a night without the demo is a night, and not the two months in
which every token would expire.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

FILE: Final = "clock.json"
#: Its modification time is when the clock was last read, within a second.
MARK: Final = "clock.read"
#: After so many real seconds without a reading, no process is running.
QUIET_SECONDS: Final = 15.0
MARK_SECONDS: Final = 1.0


def are_all_local(*addresses: str) -> bool:
    """Whether all of these URLs lead to this machine."""
    return all(_is_loopback(urlsplit(address).hostname or "") for address in addresses)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Segment:
    """From the real time `real`, when the clock showed `shown`, it runs `speed` times as fast.

    Both are Unix seconds.
    """

    speed: float
    real: float
    shown: float

    def at(self, real: float) -> float:
        return self.shown + max(real - self.real, 0.0) * self.speed


class FastClock:
    """The clock of one folder. Creating one joins the running clock, or starts it."""

    def __init__(
        self, folder: Path, speed: float, *, real: Callable[[], float] = time.time
    ) -> None:
        self._file, self._mark = folder / FILE, folder / MARK
        self._real = real
        self._lock = threading.Lock()
        self._stretch = Segment(speed, real(), real())
        self._written = 0
        self._marked = self._last = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self._join(speed)

    @property
    def speed(self) -> float:
        """How many of its seconds pass in a real second."""
        return self._stretch.speed

    def unix(self) -> float:
        """Unix seconds on this clock; they never decrease."""
        with self._lock:
            real = self._real()
            self._follow()
            if abs(real - self._marked) >= MARK_SECONDS:
                self._touch(real)
            self._last = max(self._last, self._stretch.at(real))
            return self._last

    def now(self) -> datetime:
        """The same, aware, in UTC."""
        return datetime.fromtimestamp(self.unix(), UTC)

    def wall(self) -> datetime:
        """The real time."""
        return datetime.fromtimestamp(self._real(), UTC)

    def _join(self, speed: float) -> None:
        with self._alone():
            before, real = self._read(), self._real()
            if before is None:
                self._begin(Segment(speed, real, real))
            else:
                last = self._last_reading()
                if real - last > QUIET_SECONDS:
                    # The reading was at most so much later than its mark.
                    last = min(last + MARK_SECONDS, real)
                    self._begin(Segment(speed, real, before.at(last) + real - last))
                elif before.speed != speed:
                    self._begin(Segment(speed, real, before.at(real)))
                else:
                    self._stretch = before
            self._touch(real)

    def _begin(self, stretch: Segment) -> None:
        self._stretch = stretch
        partial = self._file.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(asdict(stretch)), encoding="utf-8")
        partial.replace(self._file)
        self._written = self._version()

    def _follow(self) -> None:
        """Reload: a process that joined later may have changed the speed."""
        version = self._version()
        if version != self._written:
            self._stretch = self._read() or self._stretch
            self._written = version

    def _read(self) -> Segment | None:
        try:
            return Segment(**json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _version(self) -> int:
        with suppress(OSError):
            return self._file.stat().st_mtime_ns
        return 0

    def _last_reading(self) -> float:
        with suppress(OSError):
            return self._mark.stat().st_mtime
        return 0.0

    def _touch(self, real: float) -> None:
        self._marked = real
        self._mark.touch()
        os.utime(self._mark, (real, real))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
