"""Compares numbers of web workers and threads: pages a second, latency, memory, connections.

`python -m bench.workers [--port 8940] [--seconds 6] [--clients 16]` starts a site of its own and
measures each setting with so many clients, each requesting an account's page as soon as it has the
last one. Ratios to one worker with one thread, since machines differ; processor time per page is
little affected by other load.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from drills.member import ask
from drills.stage import Options, running_site, say
from threadsite.demo import launcher
from threadsite.supervisor import Child, Supervisor

if TYPE_CHECKING:
    from drills.stage import Host, Stage

SETTINGS = ((1, 1), (1, 4), (1, 8), (2, 1), (2, 4), (2, 8), (4, 4), (4, 8))
WARM_SECONDS = 2.0


@dataclass(frozen=True)
class Measured:
    """One setting under load. `seconds` of each page answered in time."""

    workers: int
    threads: int
    rate: float
    seconds: list[float]
    connections: int
    megabytes: float
    processor: float
    """Seconds of a processor for one page, in the web processes."""
    failed: int

    def line(self, base: float) -> str:
        spread = statistics.quantiles(self.seconds, n=20)
        return (
            f"{self.workers} x {self.threads:<2} {self.rate:7.1f}/s {self.rate / base:6.2f}"
            f" {statistics.median(self.seconds) * 1000:8.0f} ms {spread[18] * 1000:8.0f} ms"
            f" {self.processor * 1000:6.1f} ms"
            f" {self.connections:6} {self.megabytes:7.0f} MB {self.failed:6}"
        )


def main() -> int:
    """Print one line for each setting."""
    parser = argparse.ArgumentParser(prog="python -m bench.workers")
    parser.add_argument("--port", type=int, default=8940)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    with running_site(Options(port=options.port), accounts=1, followers=200) as stage:
        stage.hosts[0].stop("web")
        stage.hosts[0].stop("queue")
        say("workers x threads, pages, ratio, median, 95 %, processor, connections, memory, failed")
        base = 0.0
        for workers, threads in SETTINGS:
            found = measure(stage, workers, threads, options.seconds, options.clients)
            base = base or found.rate
            say(found.line(base))
    return 0


def measure(stage: Stage, workers: int, threads: int, seconds: float, clients: int) -> Measured:
    """Start a web process with this setting, warm it up, apply the load."""
    host = stage.hosts[0]
    child = Child("measured", _command(host, workers, threads))
    supervisor = Supervisor(
        folder=host.home, environment=host.environment, keep_pids=False, stop_seconds=10
    )
    supervisor.start(child)
    try:
        stage.wait_for(f"{host.url}/healthz")
        before = connections()
        _load(stage, WARM_SECONDS, clients)
        assert child.process is not None
        processes = psutil.Process(child.process.pid).children(recursive=True)
        spent = _processor(processes)
        answers, most = _load(stage, seconds, clients)
        spent = _processor(processes) - spent
        memory = sum(each.memory_full_info().uss for each in processes)
    finally:
        supervisor.stop()
    good = [took for status, took in answers if status == 200]
    return Measured(
        workers,
        threads,
        len(good) / seconds,
        good,
        most - before,
        memory / 1e6,
        spent / max(len(answers), 1),
        len(answers) - len(good),
    )


def _processor(processes: list[psutil.Process]) -> float:
    """Processor seconds of the processes, user and system."""
    return sum(float(each.cpu_times().user + each.cpu_times().system) for each in processes)


def _command(host: Host, workers: int, threads: int) -> list[str]:
    command = launcher.web_command(host.port)
    return [*command, "--workers", str(workers), "--threads", str(threads)]


def connections() -> int:
    """Open connections to the database, ours among them."""
    from threadsite import server_state

    return int(server_state.database()["database_connections"])


def _load(stage: Stage, seconds: float, clients: int) -> tuple[list[tuple[int, float]], int]:
    """(status, seconds) of each page, and the peak number of open connections."""
    url, headers, _ = stage.visitor().addresses["page"]
    until, answers = time.monotonic() + seconds, []

    def work() -> None:
        while time.monotonic() < until:
            seen = ask("page", url, headers)
            answers.append((seen.status, seen.seconds))

    crowd = [threading.Thread(target=work) for _number in range(clients)]
    for each in crowd:
        each.start()
    most = 0
    while any(each.is_alive() for each in crowd):
        most = max(most, connections())
        time.sleep(0.5)
    return answers, most


if __name__ == "__main__":
    sys.exit(main())
