"""`python -m bench.erasure [ROWS]`: a whole erasure beside a bare batched DELETE of the same rows.

Both run in turn on the same database. The erasure is the product's own, from the request to the
signed receipt; it fails on a wrong count or on remaining rows. The ratio is the result.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from threadsite import database, environment

ROWS = 1_000_000
ROUNDS = 3
BATCH = 10_000  # of the floor; ours chooses its own
RESULTS = Path(__file__).parent / "results.json"
FILL = """
INSERT INTO followersync_follower (account_id, key, place, source, sure, username)
SELECT %(account)s, 17841400000000000 + n, n, 1, true, 'person.' || md5(n::text)
FROM generate_series(1, %(rows)s) n
"""


def main() -> None:
    """Prepare a database and measure."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "threadsite.settings")
    environment.prepare("sandbox")
    with database.available(needed=True):
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        run(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)


def run(rows: int) -> None:
    """The baseline and the product in turn, ROUNDS times."""
    measured: dict[str, list[float]] = {"bare": [], "erasure": []}
    for number in range(ROUNDS):
        measured["bare"].append(bare(fill(f"bare{number}", rows).pk))
        measured["erasure"].append(erase(fill(f"erased{number}", rows), rows))
    floor, ours = (statistics.median(values) for values in measured.values())
    print(f"{rows:,} followers: bare batched DELETE {floor:.2f} s, erasure {ours:.2f} s")
    print(f"ratio {ours / floor:.2f} (at most 2)")
    write(rows, ours / floor, floor)


def fill(name: str, rows: int) -> Any:
    """A member with one account that has `rows` followers."""
    from django.db import connection

    from accounts.models import LinkedAccount, User

    stamp = f"{name}-{time.time_ns()}"
    owner = User.objects.create_user(username=stamp)
    account = LinkedAccount.objects.create(
        owner=owner, kind="archive", username=name, linked_at="2026-01-01T00:00:00Z"
    )
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"account": account.pk, "rows": rows})
        cursor.execute("VACUUM ANALYZE followersync_follower")
        cursor.execute("CHECKPOINT")
    return account


def bare(account_id: int) -> float:
    """Seconds of deleting the rows in batches, each committed."""
    from django.db import connection

    begun = time.perf_counter()
    with connection.cursor() as cursor:
        left = 1
        while left:
            cursor.execute(
                "DELETE FROM followersync_follower WHERE ctid = ANY(ARRAY("
                "SELECT ctid FROM followersync_follower WHERE account_id = %s LIMIT %s))",
                [account_id, BATCH],
            )
            left = cursor.rowcount
    return time.perf_counter() - begun


def erase(account: Any, rows: int) -> float:
    """Seconds of the whole erasure, in slices as in the queue."""
    from accounts.services import erasure, receipts

    begun = time.perf_counter()
    deletion = erasure.request_full_erasure(owner=account.owner, channel="web")
    while erasure.advance(deletion.pk):
        pass
    seconds = time.perf_counter() - begun
    deletion.refresh_from_db()
    receipts.verify(deletion.receipt, receipts.public_keys())
    if deletion.erased.get("followers") != rows or deletion.residue["rows"]:
        raise SystemExit(f"wrong: {deletion.erased}, {deletion.residue}")
    return seconds


def write(rows: int, ratio: float, floor: float) -> None:
    """Write the ratio to the results, in place of an older one."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    kept = [entry for entry in known if entry["what"] != "erasure_over_bare_delete"]
    commit = os.popen("git rev-parse --short HEAD").read().strip()
    kept.append(
        {
            "what": "erasure_over_bare_delete",
            "n": rows,
            "value": round(ratio, 2),
            "unit": "ratio",
            "floor": round(floor, 3),
            "runs": ROUNDS,
            "commit": commit,
        }
    )
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
