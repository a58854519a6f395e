"""The demo's settings and secrets, saved in its folder for other terminals."""

from __future__ import annotations

import secrets
from pathlib import Path

from threadsite import environment, environment_file


def clock_speed() -> int:
    """The speed of the demo's clock: what it shows takes hours (docs/losses.md)."""
    return environment.integer("CLOCK_SPEED", 60, low=1, high=3600)


def write(
    home: Path, *, address: str, port: int, sandbox_port: int, embedded: bool
) -> dict[str, str]:
    """Write `demo.env` (read by manage.py) and return the variables of the demo's processes."""
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    site = f"http://127.0.0.1:{port}"
    speed = clock_speed()
    settings = _secrets(home / "secrets.env") | {
        "PUBLIC_URL": site,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "INSTAGRAM_CLIENT_ID": "990602627938098",
        "INSTAGRAM_OAUTH_URL": sandbox,
        "INSTAGRAM_API_URL": sandbox,
        "INSTAGRAM_GRAPH_URL": sandbox,
        "INSTAGRAM_FOLLOWERS_EDGE": "followers",
        "CLOCK_SPEED": str(speed),
        # Minutes of the fast clock: at least 15 real seconds, by default one real minute.
        "SYNC_INTERVAL_MINUTES_LOW": str(max(speed // 4, 1)),
        "SYNC_INTERVAL_MINUTES_DEFAULT": str(min(speed, 10_080)),
        "STAFF_MFA_REQUIRED": "false",
    }
    for_other_terminals = dict(settings)
    if not embedded:
        for_other_terminals["DATABASE_URL"] = address
    _write(home / "demo.env", for_other_terminals)
    return settings | {"DATABASE_URL": address, "THREADSITE_HOME": str(home)}


def _secrets(path: Path) -> dict[str, str]:
    """The demo's secrets, made once: what they encrypted must stay readable at the next start."""
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)
    made = environment_file.new_secrets() | {"INSTAGRAM_CLIENT_SECRET": secrets.token_hex(16)}
    _write(path, made)
    return made


def _write(path: Path, settings: dict[str, str]) -> None:
    path.touch(mode=0o600, exist_ok=True)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
