"""`python -m bench.nightly [RUNS] [ACCOUNTS]`: nightly work of a large site, piece by piece.

A database of its own is filled with accounts, runs and snapshots; one person is erased; then the
nightly work is done in slices, as in the queue. Printed: seconds of work, number of slices and the
longest slice of each piece. Twice: the night after the erasure, and the next.
"""

from __future__ import annotations

import sys
import time

from bench.ground import member, prepared, sql

RUNS = 2_000_000
ACCOUNTS = 100_000
FOLLOWERS = 10

OWNERS = """
INSERT INTO accounts_user (id, username, password, is_superuser, first_name, last_name, email,
    is_staff, is_active, date_joined, language, time_zone)
SELECT 1000000 + n, 'member' || n, '!', false, 'First' || n, 'Last', 'm' || n || '@people.example',
    false, true, now() - interval '3 years', 'en', 'UTC'
FROM generate_series(1, %s) n
"""
LINKS = """
INSERT INTO accounts_linkedaccount (id, owner_id, kind, instagram_id, app_scoped_id, username,
    granted_permissions, linked_at{more})
SELECT 1000000 + n, 1000000 + n, 'oauth', (17841400000000000 + n)::text,
    (25000000000000000 + n)::text, 'linked.' || n, '{{}}', now() - interval '3 years'{values}
FROM generate_series(1, %s) n
"""
SETTINGS = """
INSERT INTO followersync_syncsettings (account_id, epoch, digest_key, head, first_position, memory,
    followers_count, complete, digest, failures, interval_minutes{more})
SELECT 1000000 + n, gen_random_uuid(), decode(md5(n::text), 'hex'), 10, 1, '{{}}', 10, true,
    repeat('0', 64), 0, 360{values}
FROM generate_series(1, %s) n
"""
LISTS = """
INSERT INTO followersync_follower (account_id, key, place, source, sure, username)
SELECT 1000000 + n, 17841400000000000 + n * 100 + m, m, 1, true, 'person.' || md5((n + m)::text)
FROM generate_series(1, %s) n, generate_series(1, %s) m
"""
HISTORY = """
INSERT INTO followersync_syncrun (account_id, trigger, mode, state, created_at, started_at,
    finished_at, attempts, pages, calls, gained, found, lost, returned, renamed, progress,
    error_code, error_detail)
SELECT 1000001 + (n / day * (day / 4) + n %% day %% (day / 4)) %% accounts, 'schedule', 'head',
    CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'succeeded' END,
    at, at, at + interval '3 seconds', 1, 1, 2, n %% 3, 0, 0, 0, 0,
    jsonb_build_object('seen', n %% 4000, 'page', n %% 40),
    CASE WHEN n %% 50 = 0 THEN 'retry_later' ELSE '' END,
    CASE WHEN n %% 50 = 0 THEN 'Instagram does not answer properly at the moment. '
        'We try again by ourselves.' ELSE '' END
FROM (SELECT %s::bigint AS accounts, %s::bigint / 119 AS day) site, generate_series(%s, %s) n,
    LATERAL (SELECT now() - interval '119 days' + n * (interval '1 day' / day) AS at) t
"""
SNAPSHOTS = """
INSERT INTO followersync_followersnapshot (account_id, run_id, at, mode, position, followers,
    reported, unconfirmed, gained, found, lost, returned, renamed, complete, digest, evidence)
SELECT account_id, id, finished_at, mode, id, id %% 5000, id %% 5000, 0, gained, 0, 0, 0, 0, true,
    encode(sha256(id::text::bytea), 'hex'),
    jsonb_build_object('mode', 'head', 'pages', 1, 'known', id %% 17, 'counts',
        jsonb_build_object('reported', id %% 5000, 'listed', id %% 5000), 'rule', 'unchanged',
        'looks', jsonb_build_array(id, id + 3600))
FROM followersync_syncrun WHERE state = 'succeeded' AND id BETWEEN %s AND %s
"""
CHUNK = 500_000


def main() -> None:
    """Fill, erase one person, and do two nights."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    accounts = int(sys.argv[2]) if len(sys.argv) > 2 else ACCOUNTS
    with prepared():
        begun = time.perf_counter()
        fill(runs, accounts)
        print(f"# filled in {time.perf_counter() - begun:.0f} s", flush=True)
        erase_one()
        night("the first night after an erasure")
        leave_something()
        night("the second night")


def fill(runs: int, accounts: int) -> None:
    """Rows as syncs write them: each day some of the accounts are synced four times."""
    sql(OWNERS, accounts)
    sql(completed(LINKS, "accounts_linkedaccount"), accounts)
    sql(completed(SETTINGS, "followersync_syncsettings"), accounts)
    sql(LISTS, accounts, FOLLOWERS)
    for first in range(1, runs + 1, CHUNK):
        last = min(first + CHUNK - 1, runs)
        sql(HISTORY, accounts, runs, first, last)
        print(f"# {last:,} runs", flush=True)
    for first in range(1, runs + 1, CHUNK):
        sql(SNAPSHOTS, first, first + CHUNK - 1)
    sql("VACUUM ANALYZE")
    sql("CHECKPOINT")


def completed(statement: str, table: str) -> str:
    """The statement with values for columns that have no default and are not in it."""
    from django.db import connection

    listed = statement.partition("(")[2].partition(")")[0].replace("{more}", "")
    given = {name.strip(' \n"') for name in listed.split(",")}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
            " AND is_nullable = 'NO' AND column_default IS NULL AND is_generated = 'NEVER'"
            " AND is_identity = 'NO'",
            [table],
        )
        missing = [(name, kind) for name, kind in cursor if name not in given]
    values = {
        "boolean": "false",
        "jsonb": "'{}'",
        "character varying": "''",
        "uuid": "NULL",
        "timestamp with time zone": "now()",
        "bytea": "''",
        "ARRAY": "'{}'",
    }
    return statement.format(
        more="".join(f', "{name}"' for name, _kind in missing),
        values="".join(f", {values.get(kind, '0')}" for _name, kind in missing),
    )


def erase_one() -> None:
    """Erase a member whose name occurs nowhere else."""
    from accounts.services import erasure
    from accounts.services.erasure import restored_backup

    restored_backup.compare()
    owner = member("quetzal")
    begun = time.perf_counter()
    deletion = erasure.request_full_erasure(owner=owner, channel="web")
    while erasure.advance(deletion.pk):
        pass
    deletion.refresh_from_db()
    seconds = time.perf_counter() - begun
    print(f"# one member erased: {deletion.state}, {seconds:.1f} s", flush=True)


def leave_something() -> None:
    """Write some rows between the nights, as a day does."""
    sql("UPDATE followersync_syncrun SET error_detail = 'late' WHERE id BETWEEN 700000 AND 705000")


def night(what: str) -> None:
    """All nightly work once, as in the queue."""
    from accounts.services import nightly

    print(f"\n{what}")
    print(f"{'work':45} {'done':>12} {'seconds':>9} {'slices':>7} {'longest':>8}")
    total = longest = 0.0
    for job in nightly.run():
        if job.failures:
            raise SystemExit(f"{job.name}: {job.error_code}")
        total, longest = total + job.seconds, max(longest, job.longest)
        print(
            f"{job.name:45} {job.done:>12,} {job.seconds:>9.1f} {job.slices:>7}"
            f" {job.longest:>8.1f}",
            flush=True,
        )
    print(f"{'together':45} {'':>12} {total:>9.1f} {'':>7} {longest:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
