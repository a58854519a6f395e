"""Looks at everything that the suite logs: no token, no code, no session and no follower's name.

Secrets are noted where they are made or stored, and looked for in the lines as they are written.
A test whose lines hold one fails.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.core import mail
from django.db import DatabaseError, connection

from accounts import crypto, sessions
from accounts.instagram.sandbox.oauth import OAuth
from threadsite.logs import EventFormatter

#: Shorter ones stand in lines by chance.
SHORTEST = 12
#: A key in a mail, which lets whoever has it in.
MAILED = re.compile(r"/auth/(?:password/reset/key|confirm-email)/([^/\s]+)/")
#: A name that is no English word: with a digit, a dot or an underscore.
NAME = re.compile(r"(?<![\w.])(?=[\w.]*[\d._])[A-Za-z0-9_][A-Za-z0-9._]{2,29}(?![\w])")


class Watch(logging.Handler):
    """Keeps the lines and the secrets of the present test."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(EventFormatter())
        self.lines: list[str] = []
        self.secrets: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def note(self, secret: Any) -> None:
        if isinstance(secret, str) and len(secret) >= SHORTEST:
            self.secrets.add(secret)

    def leaked(self) -> list[str]:
        """The lines that hold a secret or a follower's name."""
        text = "\n".join(self.lines)
        for message in getattr(mail, "outbox", []):
            self.secrets.update(MAILED.findall(str(message.body)))
        found = {secret for secret in self.secrets if secret in text} | _people_in(text)
        return [line for line in self.lines if any(each in line for each in found)]

    def forget(self) -> None:
        self.lines, self.secrets = [], set()


def _people_in(text: str) -> set[str]:
    """Followers of the test's database who are named, and codes of its erasures."""
    words = list(set(NAME.findall(text)))
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT username FROM followersync_follower WHERE username = ANY(%s)"
                " UNION SELECT username FROM followersync_followerchange WHERE username = ANY(%s)"
                " UNION SELECT code FROM accounts_deletionrequest"
                " WHERE %s LIKE '%%' || code || '%%'",
                [words, words, text],
            )
            return {name for (name,) in cursor.fetchall()}
    except (RuntimeError, DatabaseError):
        return set()  # a test without a database, or one that has broken its connection


watch = Watch()


def _noting(owner: Any, name: str, secret_of: Callable[[tuple[Any, ...], Any], Any]) -> None:
    """Wrap a function of the product's so that what passes through it is noted."""
    made = getattr(owner, name)

    @wraps(made)
    def noted(*args: Any, **kwargs: Any) -> Any:
        answer = made(*args, **kwargs)
        watch.note(secret_of(args, answer))
        return answer

    setattr(owner, name, noted)


@pytest.fixture(scope="session", autouse=True)
def _watch_the_log() -> Iterator[None]:
    """After Django has set up its own logging, which removes what stood there before."""
    _noting(crypto, "encrypt", lambda args, _answer: args[0])
    _noting(sessions, "signed", lambda args, _answer: args[0])
    _noting(DefaultOIDCAdapter, "hash_token", lambda args, _answer: args[1])
    _noting(OAuth, "_secret", lambda _args, answer: answer)
    logging.getLogger().addHandler(watch)
    yield
    logging.getLogger().removeHandler(watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Before the fixtures go, and with them the rows that tell a name from a word."""
    leaked = watch.leaked() if watch.lines else []
    watch.forget()
    try:
        return (yield)
    finally:
        if leaked:
            pytest.fail("the log holds a secret or a name:\n" + "\n".join(leaked), pytrace=False)
