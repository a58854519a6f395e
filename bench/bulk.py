"""Bulk benchmark: imports of archives by the product's service, from upload to snapshot.

Per round a new account is loaded, then gets the same list again, then a changed one; the baselines
are measured in between. After each import, list, history, feed and digest are verified.
"""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from bench import floors, truth
from bench.exports import export, export_day, file_name
from bench.ground import account, settle, sql, timed
from bench.population import Churn, Population
from bench.results import Results, WrongResult

PER_MILLE_GAINED, PER_MILLE_LOST, PER_MILLE_RENAMED = 1.0, 1.0, 0.5


@dataclass(slots=True)
class Seconds:
    """Per round; `wal`: bytes; `follower`, `search`: bytes a row after the first load."""

    copy: list[float] = field(default_factory=list)
    parse: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    same: list[float] = field(default_factory=list)
    changed: list[float] = field(default_factory=list)
    wal: list[float] = field(default_factory=list)
    follower: list[float] = field(default_factory=list)
    search: list[float] = field(default_factory=list)


def measure(results: Results, n: int, runs: int) -> None:
    """Every bulk row at this size."""
    times = Seconds()
    for number in range(runs):
        _round(times, n, seed=number + 1)
    _report(results, times, n)


def scale(results: Results, sizes: list[int]) -> None:
    """Whether a follower costs the same in a short list as in a long one: first loads."""
    for n in sizes:
        values = []
        for seed in (1, 2, 3):
            population = Population(n, seed)
            linked = account()
            values.append(import_list(linked, population, 0) * 1_000_000 / n)
            truth.check_list(linked, population)
            forget(linked)
        results.add("seconds_per_million", n, values, "s")


def _round(times: Seconds, n: int, seed: int) -> None:
    population = Population(n, seed)
    linked = account()
    times.copy.append(floors.copy(population))
    archive = export(population)
    times.first.append(import_list(linked, population, 0, archive))
    truth.check_list(linked, population)
    truth.check_history(linked, population)
    sql("VACUUM ANALYZE followersync_follower")
    times.search.append(_size("follower_by_username") / n)
    times.follower.append(_size("followersync_follower") / n - times.search[-1])
    times.parse.append(floors.parse(archive))
    _unchanged(times, linked, population, archive)
    expected = changes(population)
    before = truth.head_of(linked)
    times.changed.append(import_list(linked, population, 2))
    # People who left are lost by the second export without them.
    expected.gained |= population.churn(gained=1, lost=0, renamed=0).gained
    import_list(linked, population, 3)
    truth.check_list(linked, population)
    truth.check_history(linked, population)
    truth.check_feed(linked, before, expected)
    forget(linked)


def _unchanged(times: Seconds, linked: Any, population: Population, archive: bytes) -> None:
    head = truth.head_of(linked)
    times.same.append(import_list(linked, population, 1, archive))
    # Once more for the WAL: after a checkpoint the first change of each page logs it whole,
    # which the checkpoint causes and not the sync.
    wal = sql("SELECT pg_current_wal_insert_lsn()")
    day = export_day(population, 1)
    import_upload(linked, io.BytesIO(archive), file_name(linked.username, day))
    times.wal.append(float(sql("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", wal)))
    truth.check_list(linked, population)
    truth.check_feed(linked, head, Churn())


def changes(population: Population) -> Churn:
    """0.1 % gained, as many lost, half as many renamed."""
    thousands = max(1.0, len(population) / 1000)
    return population.churn(
        gained=int(PER_MILLE_GAINED * thousands),
        lost=int(PER_MILLE_LOST * thousands),
        renamed=max(1, int(PER_MILLE_RENAMED * thousands)),
    )


def import_list(
    linked: Any, population: Population, number: int, archive: bytes | None = None
) -> float:
    """Import the list as the `number`-th export; seconds from the upload to the finished run."""
    upload = io.BytesIO(archive or export(population))
    day = export_day(population, number)
    settle()
    return timed(lambda: import_upload(linked, upload, file_name(linked.username, day)))


def import_upload(linked: Any, upload: io.BytesIO, name: str) -> None:
    """What the upload page and the queue do together."""
    from followersync.services.imports import requests

    run = requests.request_import(
        account=linked, uploaded_file=upload, channel="web", file_name=name
    )
    requests.advance(run.pk)
    run.refresh_from_db()
    if run.state != "succeeded":
        raise WrongResult(f"import {run.state}: {run.error_code}")


def _size(relation: str) -> float:
    """Bytes, with all indexes where it is a table."""
    return float(sql("SELECT pg_total_relation_size(%s)", relation))


def forget(linked: Any) -> None:
    """Delete the account's rows: the tables contain one list at a time."""
    sql("TRUNCATE followersync_follower, followersync_pastfollow, followersync_followerchange")
    sql("DELETE FROM django_q_ormq")


def _report(results: Results, times: Seconds, n: int) -> None:
    def ratio(what: str, ours: list[float], floor: list[float]) -> None:
        values = [one / other for one, other in zip(ours, floor, strict=True)]
        results.add(what, n, values, "ratio", floor=sorted(floor)[len(floor) // 2])

    ratio("first_load_over_copy", times.first, times.copy)
    ratio("no_change_over_parse", times.same, times.parse)
    ratio("changed_over_no_change", times.changed, times.same)
    results.add("no_change_wal_bytes", n, times.wal, "bytes")
    results.add("bytes_per_follower", n, times.follower, "bytes")
    results.add("bytes_for_search", n, times.search, "bytes")


def peak_memory(results: Results, n: int, runs: int) -> None:
    """The highest of a first load, a repeat and a changed list, each in a new process."""
    highest = [float(_child(n, seed)) for seed in range(1, runs + 1)]
    results.add("peak_rss_mb", n, highest, "MB")


def _child(n: int, seed: int) -> str:
    answer = subprocess.run(
        [sys.executable, "-m", "bench.memory", str(n), str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise WrongResult(answer.stderr)
    return answer.stdout.split()[-1]
