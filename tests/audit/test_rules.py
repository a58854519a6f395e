"""The audit's rules find what has bitten us, and nothing of it stands in our sources."""

from __future__ import annotations

import pytest

from tests.audit.__main__ import verdict
from tests.audit.rules import findings, our_sources

PLANTED = [
    ("accounts/services/x.py", "data = answer.read()", "unbounded-read"),
    ("followersync/sources/x.py", "lines = file.readlines()", "unbounded-read"),
    ("followersync/services/x.py", "import urllib.request", "unbudgeted-connection"),
    ("followersync/services/x.py", "from urllib import request", "unbudgeted-connection"),
    ("accounts/services/x.py", "from http.client import HTTPSConnection", "unbudgeted-connection"),
    ("accounts/services/x.py", "import socket", "unbudgeted-connection"),
    ("followersync/sources/x.py", "ijson.kvitems(file, '')", "whole-values"),
    ("followersync/sources/x.py", "ijson.items(file, 'item')", "whole-values"),
    ("followersync/views/x.py", "import zipfile", "parser-in-request"),
    ("followersync/api/x.py", "from xml.etree import ElementTree", "parser-in-request"),
    (
        "followersync/transfer.py",
        "from followersync.sources.archive import open_archive",
        "parser-in-request",
    ),
]


@pytest.mark.parametrize(("path", "line", "rule"), PLANTED)
def test_a_planted_fault_is_found(path, line, rule):
    assert [(each.line, each.rule) for each in findings([(path, f"x = 1\n{line}\n")])] == [
        (2, rule)
    ]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("accounts/services/x.py", "data = answer.read(65_536)"),
        ("accounts/services/x.py", "data = self.read()"),
        ("accounts/services/x.py", "data = a.read()  # audit: unbounded-read: ours, 3 bytes"),
        ("accounts/outbound/x.py", "import socket"),
        ("followersync/sources/x.py", "ijson.parse(file)"),
        ("followersync/sources/x.py", "import zipfile"),
    ],
)
def test_what_is_right_is_left_alone(path, line):
    assert findings([(path, line)]) == []


def test_an_excuse_without_a_reason_or_for_another_rule_is_none():
    for excuse in ("# audit: unbounded-read:", "# audit: whole-values: because"):
        assert len(findings([("accounts/x.py", f"a.read()  {excuse}")])) == 1


def test_nothing_of_it_stands_in_our_sources():
    assert findings(our_sources()) == []


def test_what_could_not_be_asked_is_said_and_not_taken_for_well():
    away = [{"name": "django", "skip_reason": "Dependency not found on PyPI"}]
    bad = [{"name": "x", "version": "1", "vulns": [{"id": "CVE-1"}]}, *away]
    good = [{"name": "x", "version": "1", "vulns": []}]

    assert verdict(away) == verdict([])
    assert "NOT CHECKED" in verdict(away)[1]
    assert verdict(bad)[0] is False
    assert "x 1: CVE-1" in verdict(bad)[1]
    assert verdict(good) == (True, "advisories: 0 of 1 packages have known vulnerabilities")
