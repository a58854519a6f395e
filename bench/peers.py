"""`python -m bench.peers [--n N] [--runs R]`: dlt (scd2) and dbt (snapshot) beside our import.

Each has an environment of its own, pinned with hashes. They get the parsed list: dlt an Arrow
table, dbt a table in the database. Ours gets the export as Instagram sends it. All use the same
PostgreSQL, in turn; the resulting rows are counted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from bench import bulk, ground, truth
from bench.ground import sql
from bench.population import Population
from bench.results import FILE, Results, WrongResult
from threadsite import environment

HERE = Path(__file__).parent
UV = Path(sys.executable).parent / "uv"
PROFILE = """bench:
  target: bench
  outputs:
    bench: {{type: postgres, host: "{host}", port: {port}, user: "{user}", password: "{password}",
      dbname: "{name}", schema: dbt_peer, threads: 1}}
"""
PROJECT = """name: bench
version: "1.0"
profile: bench
snapshot-paths: [snapshots]
flags: {send_anonymous_usage_stats: false}
"""
SNAPSHOT = """{% snapshot follower_history %}
{{ config(target_schema="dbt_peer", unique_key="id", strategy="check",
   check_cols=["username", "second"], hard_deletes="invalidate") }}
select id, username, second from dbt_peer.followers
{% endsnapshot %}
"""


def main() -> None:
    """Install, then measure in turn."""
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=FILE)
    chosen = parser.parse_args()
    folder = environment.home()
    pythons = {name: _installed(folder / f"bench-{name}", name) for name in ("dlt", "dbt")}
    results = Results(chosen.out)
    with ground.prepared():
        measure(results, chosen.n, chosen.runs, pythons)
        results.write()


def _installed(place: Path, name: str) -> Path:
    """The peer's Python, with exactly the pinned versions."""
    python = place / "bin" / "python"
    if not python.exists():
        _run([str(UV), "venv", "-q", "--python", "3.11", str(place)])
    pins = HERE / f"requirements-{name}.txt"
    _run([str(UV), "pip", "sync", "-q", "--python", str(python), "--require-hashes", str(pins)])
    return python


def measure(results: Results, n: int, runs: int, pythons: dict[str, Path]) -> None:
    """Ratios of medians within each round: a first load, then the same list again."""
    ratios: dict[str, list[float]] = {}
    floors: dict[str, list[float]] = {}
    for number in range(runs):
        population = Population(n, seed=number + 1)
        ours_first, ours_same = _ours(population)
        dlt_first, dlt_same = _dlt(pythons["dlt"], population, number)
        dbt_same = _dbt(pythons["dbt"], population)
        for what, theirs, ours in (
            ("dlt_first_over_ours", dlt_first, ours_first),
            ("dlt_no_change_over_ours", dlt_same, ours_same),
            ("dbt_no_change_over_ours", dbt_same, ours_same),
        ):
            ratios.setdefault(what, []).append(theirs / ours)
            floors.setdefault(what, []).append(ours)
    for what, values in ratios.items():
        results.add(what, n, values, "ratio", floor=sorted(floors[what])[len(values) // 2])


def _ours(population: Population) -> tuple[float, float]:
    linked = ground.account()
    seconds = bulk.import_list(linked, population, 0), bulk.import_list(linked, population, 1)
    truth.check_list(linked, population)
    bulk.forget(linked)
    return seconds


def _dlt(python: Path, population: Population, number: int) -> tuple[float, float]:
    """(first load, the same again)."""
    dataset = f"dlt_peer{number}"
    file = environment.home() / "peer.tsv"
    with file.open("w", encoding="utf-8") as lines:
        for key, name, at in zip(population.ids, population.names, population.seconds, strict=True):
            lines.write(f"{key}\t{name}\t{at}\n")
    pipelines = str(environment.home() / f"pipelines-{os.getpid()}")
    answer = _run(
        [str(python), "-P", str(HERE / "peer_dlt.py"), dataset, str(file), str(file)],
        {"PIPELINES": pipelines, "CREDENTIALS": _credentials()},
    )
    first, same = (float(line) for line in answer.splitlines()[-2:])
    _counted(f'"{dataset}".followers WHERE _dlt_valid_to IS NULL', len(population))
    sql(f'DROP SCHEMA "{dataset}" CASCADE')
    return first, same


def _dbt(python: Path, population: Population) -> float:
    """The second snapshot of an unchanged list; its table was loaded beforehand."""
    project = environment.home() / "dbt"
    (project / "snapshots").mkdir(parents=True, exist_ok=True)
    (project / "dbt_project.yml").write_text(PROJECT)
    (project / "profiles.yml").write_text(PROFILE.format(**_parts(os.environ["DATABASE_URL"])))
    (project / "snapshots" / "follower_history.sql").write_text(SNAPSHOT)
    _table(population)
    command = [str(python.parent / "dbt"), "snapshot", "--quiet", "--no-version-check"]
    command += ["--project-dir", str(project), "--profiles-dir", str(project)]
    _run(command)
    ground.settle()
    seconds = _timed(lambda: _run(command))
    _counted("dbt_peer.follower_history WHERE dbt_valid_to IS NULL", len(population))
    sql("DROP SCHEMA dbt_peer CASCADE")
    return seconds


def _table(population: Population) -> None:
    from django.db import connection

    sql("CREATE SCHEMA dbt_peer")
    sql("CREATE TABLE dbt_peer.followers (id bigint PRIMARY KEY, username text, second bigint)")
    rows = zip(population.ids, population.names, population.seconds, strict=True)
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY dbt_peer.followers FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
    sql("ANALYZE dbt_peer.followers")


def _counted(rows: str, expected: int) -> None:
    stored = sql(f"SELECT count(*) FROM {rows}")
    if stored != expected:
        raise WrongResult(f"a peer holds {stored} rows, not {expected}: {rows}")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _credentials() -> str:
    """In dlt's format; the host is a socket's folder. The required password is not used."""
    parts = _parts(os.environ["DATABASE_URL"])
    return json.dumps(
        {
            "drivername": "postgresql",
            "database": parts["name"],
            "username": parts["user"],
            "password": parts["password"] or "none",
            "host": quote(parts["host"], safe=""),
            "port": int(parts["port"]),
        }
    )


def _parts(address: str) -> dict[str, str]:
    url = urlsplit(address)
    query = dict(parse_qsl(url.query))
    return {
        "host": query.get("host") or url.hostname or "",
        "port": query.get("port") or str(url.port or 5432),
        "user": url.username or "postgres",
        "password": url.password or "",
        "name": url.path.lstrip("/"),
    }


def _run(command: list[str], more: dict[str, str] | None = None) -> str:
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(more or {})}
    )
    if answer.returncode:
        raise WrongResult(f"{command[0]}: {(answer.stdout + answer.stderr)[-2000:]}")
    return answer.stdout


if __name__ == "__main__":
    main()
