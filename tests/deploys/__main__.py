"""`python -m tests.deploys`, part of `make lint`: may the migrations be deployed under load?"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.deploys.rules import FIRST_SET, Finding, is_bound
from threadsite.embedded import EmbeddedServer


def main() -> int:
    """0 where every migration after the first set may be deployed while the site runs."""
    bound = sorted(_bound_on_disk())
    found: list[Finding] = []
    if bound:
        with tempfile.TemporaryDirectory(prefix="threadsite-lint-") as folder:
            server = EmbeddedServer(Path(folder) / "postgres", {"fsync": "off"})
            try:
                found = _judge(server.start())
            finally:
                server.stop()
    for each in found:
        print(each)
    print(f"migrations: {len(bound)} after the first set, {len(found)} findings")
    return int(bool(found))


def _bound_on_disk() -> list[str]:
    root = Path(__file__).resolve().parents[2]
    return [
        f"{app}.{path.stem}"
        for app in FIRST_SET
        for path in (root / app / "migrations").glob("[0-9]*.py")
        if is_bound(app, path.stem)
    ]


def _judge(address: str) -> list[Finding]:
    os.environ["DATABASE_URL"] = address
    os.environ["DJANGO_SETTINGS_MODULE"] = "threadsite.settings"
    import django

    django.setup()
    from django.db import connection

    from tests.deploys.collect import judge_all

    try:
        return judge_all(connection)
    finally:
        connection.close()


if __name__ == "__main__":
    raise SystemExit(main())
