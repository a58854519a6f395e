"""`python -m bench.memory N SEED`: the peak memory of workers that import a list of N, in MB.

Each import runs in a process of its own, forked before Django is loaded, so that neither the
generator's lists nor the previous step count. Needs DATABASE_URL, as `bench` sets it.
"""

from __future__ import annotations

import os
import resource
import sys
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from bench.exports import export, export_day, file_name
from bench.population import Population


def main() -> None:
    """Write the exports, then import each in a new worker."""
    n, seed = int(sys.argv[1]), int(sys.argv[2])
    with TemporaryDirectory() as folder:
        spawn = get_context("spawn")
        with spawn.Pool(1) as pool:
            account_id, owner = pool.apply(_account)
        with spawn.Pool(1) as pool:
            names = pool.apply(_write, (folder, n, seed, owner))
        highest = 0.0
        for name in names:
            with spawn.Pool(1) as pool:
                highest = max(highest, pool.apply(_import, (account_id, folder, name)))
    print(round(highest, 1))


def _account() -> tuple[int, str]:
    from bench import ground

    ground.set_up()
    linked = ground.account()
    return linked.pk, linked.username


def _write(folder: str, n: int, seed: int, owner: str) -> list[str]:
    """Three exports as files: a first list, the same again, a changed one."""
    from bench.bulk import changes

    population = Population(n, seed)
    names = []
    for number in range(3):
        if number == 2:
            changes(population)
        name = file_name(owner, export_day(population, number))
        Path(folder, name).write_bytes(export(population))
        names.append(name)
    return names


def _import(account_id: int, folder: str, name: str) -> float:
    from bench import bulk, ground

    ground.set_up()
    from accounts.models import LinkedAccount

    linked = LinkedAccount.objects.get(pk=account_id)
    # In the product the upload is on disk too.
    with Path(folder, name).open("rb") as upload:
        bulk.import_upload(linked, cast("Any", upload), name)
    if name.startswith("instagram") and os.environ.get("BENCH_VERBOSE"):
        print(name, _peak(), file=sys.stderr)
    return _peak()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
