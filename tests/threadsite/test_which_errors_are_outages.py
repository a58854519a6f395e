"""Which errors are outages: a fault of ours told as one would be retried for ever, never mended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, ProgrammingError, connection, transaction

from accounts.models import User
from threadsite import outages

pytestmark = pytest.mark.django_db(transaction=True)


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def failure(*statements: str) -> Exception:
    """What Django raises for one of these, in a transaction that is rolled back."""
    try:
        with transaction.atomic():
            run(*statements)
    except Exception as error:
        return error
    pytest.fail("nothing was refused")


@contextmanager
def another_connection(**other: str) -> Iterator[psycopg.Connection]:
    """To the tests' own database, beside Django's."""
    known = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor} | other
    known.pop("context", None)
    with psycopg.connect(**known) as made:
        yield made


def test_a_statement_that_its_time_limit_ends() -> None:
    error = failure("SET LOCAL statement_timeout = 20", "SELECT pg_sleep(5)")

    assert outages.outage_of(error) is outages.CONTENDED


def test_a_row_that_another_holds_for_too_long(alice: User) -> None:
    update = f"UPDATE accounts_user SET first_name = 'x' WHERE id = {alice.pk}"
    with another_connection() as other:
        other.execute(update)
        error = failure("SET LOCAL lock_timeout = 20", update)

    assert outages.outage_of(error) is outages.CONTENDED


def test_a_serialization_failure(alice: User) -> None:
    update = f"UPDATE accounts_user SET first_name = 'x' WHERE id = {alice.pk}"
    with pytest.raises(OperationalError) as ended, transaction.atomic():  # noqa: PT012
        run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM accounts_user")
        with another_connection() as other:
            other.execute(update)
        run(update)

    assert outages.outage_of(ended.value) is outages.CONTENDED


def test_more_connections_than_the_server_takes() -> None:
    run("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    try:
        with pytest.raises(psycopg.OperationalError) as ended, another_connection(user="crowded"):
            pass
    finally:
        run("DROP ROLE crowded")

    assert ended.value.sqlstate in {None, "53300"}
    assert outages.outage_of(ended.value) is outages.DATABASE


def test_a_connection_that_the_server_ended() -> None:
    connection.ensure_connection()
    with another_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    with pytest.raises(OperationalError) as ended:
        run("SELECT 1")
    connection.close()

    assert outages.outage_of(ended.value) is outages.DATABASE


def test_a_connection_that_is_closed_on_our_side() -> None:
    assert outages.outage_of(InterfaceError("connection already closed")) is outages.DATABASE


def test_a_standby_that_only_reads() -> None:
    error = failure("SET TRANSACTION READ ONLY", "CREATE TABLE x ()")

    assert outages.outage_of(error) is outages.DATABASE


def test_an_outage_that_caused_an_error_of_ours() -> None:
    error = ImproperlyConfigured("no place")
    error.__cause__ = OSError(28, "No space left on device")

    assert outages.outage_of(error) is outages.DISK


@pytest.mark.parametrize("statement", ["SELECT 1/0", "SELECT nothing", "SELECT '' :: int"])
def test_a_wrong_statement_is_none(statement: str) -> None:
    assert outages.outage_of(failure(statement)) is None


@pytest.mark.parametrize(
    "error", [None, ValueError(), FileNotFoundError(2, "no file"), ProgrammingError()]
)
def test_nor_is_any_other_error(error: Exception | None) -> None:
    assert outages.outage_of(error) is None
