"""An operator learns from `/metrics` what fails, what is late and what to do, and nobody's name."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from accounts import counters
from accounts.models import AccessToken, Counter, DeletionRequest
from followersync.models import SyncRun, SyncSettings, WebhookSubscription
from followersync.services.webhooks import outbound
from tests.support.database import ENVIRONMENT
from tests.support.sandbox import Sandbox
from tests.support.sync import connect, run_to_end

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs" / "deploy" / "prometheus" / "threadsite.rules.yml"
DASHBOARD = ROOT / "docs" / "deploy" / "grafana" / "threadsite.json"
OPERATIONS = ROOT / "docs" / "operations.md"
TOKEN = "metrics-token-of-the-test"


@pytest.fixture(autouse=True)
def fresh(settings):
    """Counts that other tests left in this process are none of ours."""
    settings.METRICS_TOKEN = TOKEN
    counters._pending.clear()


def served() -> str:
    counters.flush()
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return str(answer.content.decode())


def samples() -> dict[tuple[str, frozenset[str]], float]:
    """(name, values of its labels) of every sample."""
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(served())
        for sample in family.samples
    }


def value(name: str, *labels: str) -> float:
    return samples()[f"threadsite_{name}", frozenset(labels)]


def test_nobody_reads_them_without_the_token(client, settings):
    for header in ("", "Bearer wrong", f"Basic {TOKEN}", "Bearer ümlaut"):
        assert client.get("/metrics", headers={"Authorization": header}).status_code == 404
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_calls_runs_and_refusals_are_counted_by_their_codes(
    sandbox: Sandbox, alice, edge, clock, django_capture_on_commit_callbacks
):
    sandbox.persona("lovelace", followers=30)
    account = connect(sandbox, alice, "lovelace")

    with django_capture_on_commit_callbacks(execute=True):
        assert run_to_end(account).state == SyncRun.State.SUCCEEDED
        sandbox.script([{"error": "4_app_limit"}], route="me")
        assert run_to_end(account).state == SyncRun.State.WAITING

    found = samples()
    assert found["threadsite_instagram_calls_total", frozenset({"followers", "ok"})] >= 1
    assert found["threadsite_instagram_calls_total", frozenset({"me", "wait_until"})] == 1
    assert found["threadsite_instagram_call_seconds_count", frozenset({"followers"})] >= 1
    assert found["threadsite_runs_total", frozenset({"sync", "succeeded", "none"})] == 1
    assert found["threadsite_runs_total", frozenset({"sync", "waiting", "wait_until"})] == 1


def test_pages_are_timed_by_area_and_status(client):
    client.get("/")
    client.get("/api/v1/accounts/")
    client.get("/healthz")

    assert value("http_request_seconds_count", "pages", "2xx") == 1
    assert value("http_request_seconds_count", "api", "4xx") == 1
    assert value("http_request_seconds_bucket", "api", "4xx", "+Inf") == 1


def test_what_is_late_is_told(alice, followed, clock):
    now = clock()
    SyncSettings.objects.filter(pk=followed.pk).update(next_due_at=now - timedelta(hours=2))
    AccessToken.objects.filter(account=followed).update(expires_at=now + timedelta(days=3))
    for state, days in (("running", 2), ("failed", 3), ("requested", 0)):
        DeletionRequest.objects.create(
            channel="web", state=state, requested_at=now - timedelta(days=days)
        )
    WebhookSubscription.objects.create(
        owner=alice, url="https://a.example/", secret="x", created_at=now, failures=2
    )

    assert value("sync_lag_seconds", "95") == pytest.approx(7200)
    assert value("accounts_overdue") == 1
    assert value("tokens_expiring") == 1
    assert [value(f"erasures_{each}") for each in ("open", "overdue", "failed")] == [3, 2, 1]
    assert value("webhooks_failing") == 1


def test_a_webhook_that_is_not_taken_is_counted_by_its_reason(alice, followed, clock, settings):
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    SyncSettings.objects.filter(pk=followed.pk).update(baseline_at=clock())
    made, _secret = outbound.subscribe(owner=alice, url="http://127.0.0.1:9/hook")

    outbound.notify(made.pk)

    reasons = [
        labels for name, labels in samples() if name == "threadsite_webhook_deliveries_total"
    ]
    assert len(reasons) == 1
    assert reasons != [frozenset({"ok"})]


def test_counts_of_all_processes_add_up_and_survive_a_database_that_was_away(monkeypatch):
    counters.count("webhook_deliveries", outcome="ok")
    counters.flush()
    counters.count("webhook_deliveries", outcome="ok")
    monkeypatch.setattr(connection, "cursor", _away)
    counters.flush()
    monkeypatch.undo()
    counters.observe("instagram_call_seconds", 0.07, route="me")
    counters.observe("instagram_call_seconds", 99.0, route="me")

    assert value("webhook_deliveries_total", "ok") == 2
    assert value("instagram_call_seconds_bucket", "me", "0.05") == 0
    assert value("instagram_call_seconds_bucket", "me", "0.1") == 1
    assert value("instagram_call_seconds_bucket", "me", "20.0") == 1
    assert value("instagram_call_seconds_count", "me") == 2
    assert value("instagram_call_seconds_sum", "me") == pytest.approx(99.07)


def _away(*_arguments: object) -> None:
    raise DatabaseError("the server is away")


def test_what_is_no_word_of_ours_never_becomes_a_label():
    for strange in ("Ada Lovelace", "IGQVJ…", "a" * 65, "https://a.example/?code=1"):
        counters.count("webhook_deliveries", outcome=strange)
    counters.flush()

    assert set(Counter.objects.values_list("labels", flat=True)) == {"other"}
    with pytest.raises(ValueError, match="labels"):
        counters.count("runs", kind="sync", state="failed")


def test_no_name_no_id_and_no_token_stands_in_them(sandbox: Sandbox, alice, edge, clock):
    sandbox.persona("lovelace", followers=30)
    account = connect(sandbox, alice, "lovelace")
    run_to_end(account)
    browser = Client()
    browser.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    for path in (f"/accounts/{account.pk}/", f"/accounts/{account.pk}/followers/", "/alice/"):
        browser.get(path)

    text = served()

    people = [each["username"] for each in sandbox.true_list(account.instagram_id)]
    secrets = [each["value"] for each in sandbox.tokens()]
    for word in [*people, *secrets, alice.username, account.username, account.instagram_id]:
        assert str(word) not in text, word


WITHOUT_DATABASE = """
import django
django.setup()
from django.test import Client
answer = Client().get("/metrics", headers={"Authorization": "Bearer t"})
print(answer.status_code, answer.content.decode())
"""


@pytest.mark.slow
def test_without_the_database_they_say_so_and_what_else_they_can(tmp_path):
    away = {"DATABASE_URL": "postgresql://127.0.0.1:1/away", "METRICS_TOKEN": "t"}
    outcome = subprocess.run(
        [sys.executable, "-c", WITHOUT_DATABASE],
        env={
            **ENVIRONMENT,
            **away,
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "threadsite.settings",
            "THREADSITE_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.startswith("200 ")
    assert 'threadsite_ready{part="database"} 0.0' in outcome.stdout
    assert "threadsite_disk_free_bytes" in outcome.stdout
    assert "threadsite_build_info" in outcome.stdout
    assert "accounts_linked" not in outcome.stdout


def families() -> set[str]:
    """Every name under which something is served."""
    names = set()
    for line in served().splitlines():
        if line.startswith("# TYPE "):
            _hash, _type, name, kind = line.split()
            names.add(name)
            if kind == "histogram":
                names |= {f"{name}_{part}" for part in ("bucket", "count", "sum")}
    return names


def named_in(path: Path) -> set[str]:
    return set(re.findall(r"\bthreadsite_[a-z_0-9]+", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [RULES, DASHBOARD], ids=["alerts", "dashboard"])
def test_each_metric_that_an_alert_or_a_panel_asks_for_is_served(path):
    assert named_in(path)
    assert named_in(path) - families() == set()


def test_each_metric_is_explained_and_shown():
    shown, explained = named_in(DASHBOARD) | named_in(RULES), OPERATIONS.read_text("utf-8")
    for name in families():
        base = re.sub(r"_(bucket|count|sum)$", "", name)
        assert f"`{base}`" in explained, base
        assert any(each.startswith(base) for each in shown), base


def test_each_alert_says_in_the_operations_guide_what_to_do():
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
    rows = dict(
        re.findall(r"^\| `(Threadsite\w+)` \| (.+) \|$", OPERATIONS.read_text("utf-8"), re.M)
    )
    assert len(alerts) == len(set(alerts)) > 15
    assert set(rows) == set(alerts)
    assert all(len(what) > 40 for what in rows.values())


def test_the_dashboard_is_one_that_grafana_can_read():
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert panel["type"] == "row" or all(each["expr"] for each in panel["targets"])


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed here")
def test_prometheus_takes_the_rules_and_the_metrics(settings):
    for arguments, given in (
        (["check", "rules", str(RULES)], None),
        (["check", "config", "--syntax-only", str(RULES.with_name("prometheus.yml"))], None),
        (["check", "metrics"], served()),
    ):
        outcome = subprocess.run(
            ["promtool", *arguments], input=given, capture_output=True, text=True, check=False
        )
        assert outcome.returncode == 0, outcome.stderr
