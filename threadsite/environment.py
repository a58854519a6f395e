"""Reads the process environment: typed values, clear errors, and the demo's settings file.

Does not import Django's settings, which are made from this module.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from accounts.fast_clock import FILE as CLOCK_FILE
from accounts.fast_clock import are_all_local

#: Commands that touch no database, so that none is started for them.
WITHOUT_DATABASE: Final = frozenset(
    {
        "help",
        "version",
        "--help",
        "--version",
        "sandbox",
        "makemessages",
        "compilemessages",
        "collectstatic",
        "verify_receipt",
        "derived_keys",
        "new_environment",
    }
)
#: Commands that run without the secrets of a deployment.
WITHOUT_SECRETS: Final = frozenset(
    {
        "sandbox",
        "makemessages",
        "compilemessages",
        "verify_receipt",
        "collectstatic",
        "new_environment",
    }
)
PLACEHOLDER: Final = "not-a-deployment"


#: The folder of the packages; once installed, no checkout is around it.
CODE: Final = Path(__file__).resolve().parent.parent
INSTALLED: Final = not (CODE / "manage.py").is_file()


def home() -> Path:
    """The folder that holds everything local (embedded database, demo secrets, exports)."""
    usual = Path("~/.local/share/threadsite") if INSTALLED else CODE / ".local"
    return Path(os.environ.get("THREADSITE_HOME") or usual).expanduser().resolve()


def collected_files() -> Path:
    """Where `collectstatic` puts the files that it collects, unless STATIC_ROOT says otherwise."""
    return (home() if INSTALLED else CODE) / "staticfiles"


def prepare(command: str) -> None:
    """Load the demo's settings for its own processes; variables already set win."""
    load_file(home() / "demo.env")
    if command == "sandbox":
        # The sandbox: its clock may run fast if nothing else uses it.
        for name in ("INSTAGRAM_OAUTH_URL", "INSTAGRAM_API_URL", "INSTAGRAM_GRAPH_URL"):
            os.environ.setdefault(name, "http://localhost")
    if command in WITHOUT_SECRETS:
        os.environ.setdefault("SECRET_KEY", PLACEHOLDER)
        os.environ.setdefault("TOKEN_KEYS", base64.urlsafe_b64encode(bytes(32)).decode())
        os.environ.setdefault("INSTAGRAM_CLIENT_ID", "sandbox-client")
        os.environ.setdefault("INSTAGRAM_CLIENT_SECRET", "sandbox-secret")
        os.environ.setdefault("ALLOWED_HOSTS", "localhost")
        os.environ.setdefault("PUBLIC_URL", "http://localhost")


def needs_database(command: str) -> bool:
    """Whether the command reads or writes the database."""
    return command not in WITHOUT_DATABASE


def load_file(path: Path) -> None:
    """Set what the file's `NAME=value` lines hold and the environment does not."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip())


def text(name: str, default: str | None = None) -> str:
    """The variable's text; without a default an unset or empty one stops the start."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(
            f"{name} is not set. Threadsite does not start without it: see docs/operations.md."
        )
    return default


def flag(name: str, default: bool) -> bool:
    """A yes-or-no variable: 1/true/yes/on or 0/false/no/off."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def choice(name: str, *allowed: str) -> str:
    """One of a few words; unset, the first."""
    value = text(name, allowed[0])
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number within [low, high]."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if not low <= number <= high:
        raise ImproperlyConfigured(f"{name} must lie between {low} and {high}, not {number}.")
    return number


def clock(*addresses: str) -> tuple[int, Path | None]:
    """CLOCK_SPEED, and the folder of the fast clock (None: time is the database's).

    `addresses` are those of the site and of Instagram: unless all are on this machine, only 1 is
    allowed. A clock that once ran fast continues from there, since it never runs backwards.
    """
    speed = integer("CLOCK_SPEED", 1, low=1, high=3600)
    here = are_all_local(*addresses)
    if speed != 1 and not here:
        raise ImproperlyConfigured(
            f"CLOCK_SPEED is {speed}: the site's clock would run {speed} times faster than "
            "Instagram's and its members'. It is for the demo, the soak and tests, where "
            "Instagram is the sandbox on this machine. Unset it."
        )
    return speed, home() if here and (speed != 1 or (home() / CLOCK_FILE).is_file()) else None


def items(name: str, default: str | None = None) -> list[str]:
    """A comma-separated list without empty entries; without a default, of at least one."""
    found = [item.strip() for item in text(name, default).split(",") if item.strip()]
    if not found and default is None:
        raise ImproperlyConfigured(f"{name} holds nothing between its commas.")
    return found


def numbers(name: str) -> dict[str, int]:
    """`rule=days` pairs, comma-separated; unset: none."""
    found = {}
    for item in items(name, ""):
        rule, separator, value = (part.strip() for part in item.partition("="))
        if not separator or not value.isdigit():
            raise ImproperlyConfigured(
                f"{name} must hold pairs such as runs=30, comma-separated; {item!r} is none."
            )
        found[rule] = int(value)
    return found


def options(name: str) -> dict[str, Any]:
    """A JSON object, e.g. `{"key": "…", "secret": "…"}`; unset: none."""
    value = text(name, "")
    if not value:
        return {}
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        # Without the value: it holds secrets.
        raise ImproperlyConfigured(f"{name} must be a JSON object.")
    return found


def zone(name: str, default: str) -> str:
    """The name of a time zone, as `Europe/Berlin`."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (ValueError, OSError):
        raise ImproperlyConfigured(
            f"{name} must name a time zone, such as Europe/Berlin, not {value!r}."
        ) from None
    return value


def url(name: str, default: str | None = None) -> str:
    """An http(s) address without a closing slash."""
    value = text(name, default).rstrip("/")
    if value and not value.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name} must begin with http:// or https://, not {value!r}.")
    return value


def redis(name: str) -> str:
    """The address of a Redis; empty where none is used."""
    value = text(name, "")
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured(f"{name} must begin with redis://, rediss:// or unix://.")
    return value


def fernet_keys(name: str) -> list[str]:
    """Fernet keys, newest first: each 32 bytes as URL-safe base64."""
    keys = items(name)
    for position, key in enumerate(keys, start=1):
        try:
            valid = len(base64.urlsafe_b64decode(key)) == 32
        except ValueError:
            valid = False
        if not valid:
            raise ImproperlyConfigured(
                f"{name}: key number {position} is not 32 bytes in URL-safe base64. "
                "Make one with `python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'`."
            )
    return keys


#: Variables of keys with one purpose each, and the name of the purpose.
PURPOSES: Final = {
    "CONSENT_LEDGER_KEY": "consent-ledger",
    "SUPPRESSION_KEY": "suppression",
    "RECEIPT_KEYS": "receipts",
}


def key_of_purpose(name: str, secret: str) -> str:
    """The variable's text, or a key derived from the site's secret.

    Before changing SECRET_KEY, set the variables (`manage.py derived_keys`).
    """
    return text(name, derived_key(PURPOSES[name], secret))


def derived_key(purpose: str, secret: str) -> str:
    """A key for one purpose, derived from the site's secret (32 bytes, URL-safe base64)."""
    digest = hmac.new(secret.encode(), b"threadsite:" + purpose.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()
