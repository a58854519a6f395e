"""Somebody who adds a table cannot forget that its rows must leave with their member."""

from __future__ import annotations

import inspect

import pytest
from django.db import connection

import accounts.tasks
import followersync.tasks
from accounts import data_catalogue, registry
from accounts.services.erasure.data_map import ROOTS, holdings, read_schema

pytestmark = pytest.mark.django_db


def test_every_table_is_keyed_to_somebody_or_declared_harmless():
    assert undeclared() == []


def test_a_new_table_that_nobody_declared_is_named():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE forgotten_notes (id bigint PRIMARY KEY, note text)")

    assert undeclared() == ["forgotten_notes"]


def test_a_new_table_behind_a_members_table_is_swept_unasked():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE badge (id bigint PRIMARY KEY, user_id bigint REFERENCES accounts_user)"
        )
        cursor.execute("CREATE TABLE ribbon (id bigint, badge_id bigint REFERENCES badge)")

    found = [h.table for h in holdings("member")]

    assert undeclared() == []
    assert found.index("ribbon") < found.index("badge")


def test_a_staff_members_judgement_outlives_them_without_their_name():
    found = {(h.table, h.column): h.action for h in holdings("member")}

    assert found["accounts_residuefinding", "cleared_by_id"] == "detach"
    assert found["accounts_privacyrequest", "decided_by_id"] == "detach"
    assert found["django_admin_log", "user_id"] == "delete"


def test_the_token_of_a_sign_in_is_keyed_to_the_member_not_taken_for_an_accounts():
    keyed = {(h.table, h.column): h.of for of in ("account", "member") for h in holdings(of)}

    assert keyed["socialaccount_socialtoken", "account_id"] == "member"


def test_every_task_of_the_queue_can_be_told_to_be_somebodys():
    """By a parameter's name, by its registration, or because its id is nobody's afterwards."""
    known = {"account_id", "owner_id", "deletion_id", "export_id", "request_id", "night_job_id"}
    for module in (accounts.tasks, followersync.tasks):
        for name, task in inspect.getmembers(module, inspect.isfunction):
            if task.__module__ != module.__name__:
                continue
            first = next(iter(inspect.signature(task).parameters), None)
            dotted = f"{module.__name__}.{name}"
            assert first is None or first in known or dotted in registry.task_keys(), dotted


def undeclared() -> list[str]:
    """Tables that are keyed to nobody and that nobody declared: nobody thought of their erasure."""
    schema = read_schema()
    keyed = {h.table for of in ROOTS for h in holdings(of, schema)} | set(ROOTS.values())
    return sorted(set(schema.columns) - keyed - set(data_catalogue.exemptions()))
