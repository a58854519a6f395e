"""Writes the environment file of a deployment: every setting explained, with fresh secrets.

The explanations come from the table of docs/operations.md.
"""

from __future__ import annotations

import base64
import re
import secrets
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from threadsite import environment

#: The package brings a copy of the document along.
TABLE: Final = (
    Path(__file__).with_name("operations.md")
    if environment.INSTALLED
    else environment.CODE / "docs" / "operations.md"
)
ROW: Final = re.compile(
    r"^\| (?P<names>`[A-Z_]+`(?:, `[A-Z_]+`)*) \| (?P<needed>.+?) \| (?P<meaning>.+) \|$"
)
LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]*\)")
#: Values that need no quotes in a shell, systemd and Compose.
PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
HEAD: Final = """\
# Settings of Threadsite, for systemd (EnvironmentFile), Compose (env_file) and shells:
#   set -a; . {path}; set +a
# Keep it secret, and keep a copy where the backups are not: without these keys neither the tokens
# nor the consent ledger of a restored backup can be read.
"""


@dataclass(frozen=True)
class Setting:
    """One row of the table, of one or several related settings."""

    names: tuple[str, ...]
    needed: str
    meaning: str


def settings_in(table: str) -> list[Setting]:
    """The rows that name settings, in their order."""
    rows = (ROW.match(line) for line in table.splitlines())
    return [
        Setting(tuple(re.findall(r"[A-Z_]+", row["names"])), row["needed"], row["meaning"])
        for row in rows
        if row
    ]


def new_secrets() -> dict[str, str]:
    """A value for every setting that is a secret of this site only."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "TOKEN_KEYS": Fernet.generate_key().decode(),
        "CONSENT_LEDGER_KEY": _random_key(),
        "SUPPRESSION_KEY": _random_key(),
        "RECEIPT_KEYS": _random_key(),
        "INSTAGRAM_WEBHOOK_VERIFY_TOKEN": secrets.token_urlsafe(16),
        "METRICS_TOKEN": secrets.token_urlsafe(24),
        "OIDC_PRIVATE_KEY": rsa_key(),
    }


def _random_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def rsa_key() -> str:
    """A PEM on one line (newlines as `\\n`), as an environment file holds it."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode().strip().replace("\n", "\\n")


def written(path: Path, *, public_url: str, database_url: str, home: str) -> str:
    """The file's text."""
    values = {
        **new_secrets(),
        "PUBLIC_URL": public_url,
        "ALLOWED_HOSTS": urlsplit(public_url).hostname or "",
        "DATABASE_URL": database_url,
        "THREADSITE_HOME": home,
        "TRUSTED_PROXY_COUNT": "1",
    }
    blocks = [HEAD.format(path=path)]
    for setting in settings_in(TABLE.read_text(encoding="utf-8")):
        if setting.needed.startswith("never"):
            continue
        blocks.append("\n".join([*_explained(setting), *_lines(setting, values), ""]))
    return "\n".join(blocks)


def _explained(setting: Setting) -> Iterator[str]:
    needed = "" if setting.needed in ("no", "yes") else f" ({setting.needed})"
    meaning = re.sub("[`*]", "", LINK.sub(r"\1", setting.meaning))
    said = f"{meaning[0].upper()}{meaning[1:]}.{needed}"
    yield from textwrap.wrap(said, 96, initial_indent="# ", subsequent_indent="# ")


def _lines(setting: Setting, values: Mapping[str, str]) -> Iterator[str]:
    """Settings with a value, or that need one, are active; the others follow a `#`."""
    for name in setting.names:
        if name in values or setting.needed.startswith(("yes", "in production")):
            yield f"{name}={_quoted(values.get(name, ''))}"
        else:
            yield f"#{name}="


def missing(text: str) -> list[str]:
    """The settings that the operator must fill in."""
    return re.findall(r"^([A-Z_]+)=$", text, re.M)


def _quoted(value: str) -> str:
    return value if PLAIN.fullmatch(value) else f"'{value}'"
