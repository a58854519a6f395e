"""A member can prove the erasure to anybody, and nobody can forge or bend the proof."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.errors import InvalidInput
from accounts.services import erasure, receipts
from tests.support import leaving

pytestmark = pytest.mark.django_db
OLD_KEY = "b2xkLWtleS1vZi10ZXN0cy0zMi1ieXRlcy1sb25nISE="
NEW_KEY = "bmV3LWtleS1vZi10ZXN0cy0zMi1ieXRlcy1sb25nISE="


@pytest.fixture(autouse=True)
def exports_of_this_test(settings, tmp_path):
    settings.THREADSITE_HOME = tmp_path


@pytest.fixture
def finished(account):
    deletion = erasure.request_account_erasure(account=account, channel="web")
    erasure.advance(deletion.pk)
    salt = deletion.salt
    deletion.refresh_from_db()
    deletion.salt = salt
    return deletion


@pytest.fixture
def files(finished, tmp_path) -> tuple[Path, Path]:
    receipt, keys = tmp_path / "receipt.json", tmp_path / "keys.json"
    receipt.write_text(json.dumps(finished.receipt))
    keys.write_text(json.dumps(receipts.public_keys()))
    return receipt, keys


def test_a_receipt_verifies_with_the_public_keys(finished, client):
    keys = client.get("/.well-known/threadsite-receipt-keys.json").json()

    assert receipts.verify(finished.receipt, keys)["code"] == finished.code


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rows", 5),
        ("residue", {"rows": 0, "tables": 0, "payloads": 0}),
        ("completed_at", "2020-01-01T00:00:00Z"),
        ("code", "SOMEBODYELSESCODE000"),
        ("erased", {"followers": 1}),
        ("issuer", "https://elsewhere.example"),
        ("commitment", None),
        ("extra", True),
    ],
)
def test_a_tampered_receipt_fails(finished, field, value):
    tampered = {**finished.receipt, field: value}

    with pytest.raises(InvalidInput) as refused:
        receipts.verify(tampered, receipts.public_keys())
    assert refused.value.code == "bad_signature"


def test_a_receipt_without_its_signature_fails(finished):
    tampered = {k: v for k, v in finished.receipt.items() if k != "signature"}

    with pytest.raises(InvalidInput):
        receipts.verify(tampered, receipts.public_keys())


def test_a_forger_cannot_put_their_key_under_our_keys_name(finished, settings):
    genuine = receipts.public_keys()["keys"][0]
    settings.RECEIPT_KEYS = [OLD_KEY]
    forged = receipts.issue(finished)
    forged["key"] = genuine["kid"]

    with pytest.raises(InvalidInput):
        receipts.verify(forged, {"keys": [genuine]})


def test_receipts_of_an_older_key_stay_good_after_a_rotation(finished, settings):
    settings.RECEIPT_KEYS = [OLD_KEY]
    old = receipts.issue(finished)
    settings.RECEIPT_KEYS = [NEW_KEY, OLD_KEY]

    new = receipts.issue(finished)

    assert receipts.verify(old, receipts.public_keys())["key"] != new["key"]
    assert receipts.verify(new, receipts.public_keys())


def test_the_receipt_names_nobody(finished, account, alice):
    text = json.dumps(finished.receipt).lower()

    for word in (account.instagram_id, account.username, account.app_scoped_id, alice.email):
        assert word.lower() not in text


def test_only_the_salt_shows_whose_receipt_it_is(finished, account):
    subject = f"instagram:{account.instagram_id}"

    value = finished.receipt["commitment"]["value"]

    assert value == receipts.commitment(finished.salt, [subject])
    assert value != receipts.commitment("00" * 32, [subject])


def test_the_command_accepts_the_genuine_and_names_the_tampered(files, account, finished, capsys):
    receipt, keys = files

    call_command("verify_receipt", receipt, keys=keys)
    subject = f"instagram:{account.instagram_id}"
    call_command("verify_receipt", receipt, keys=keys, salt=finished.salt, subject=[subject])
    assert subject in capsys.readouterr().out

    receipt.write_text(receipt.read_text().replace('"account"', '"everything"'))
    with pytest.raises(CommandError, match="altered"):
        call_command("verify_receipt", receipt, keys=keys)


def test_the_command_takes_the_status_of_a_deletion_too(files, finished, tmp_path):
    whole = tmp_path / "status.json"
    whole.write_text(json.dumps({"state": "completed", "receipt": finished.receipt}))

    call_command("verify_receipt", whole, keys=files[1])


def test_somebody_elses_salt_is_refused(files, account):
    with pytest.raises(CommandError, match="not those"):
        call_command("verify_receipt", files[0], salt="ab" * 32, subject=["instagram:1"])


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_what_is_no_receipt_is_refused_in_words(tmp_path, text):
    path = tmp_path / "what.json"
    path.write_text(text)

    with pytest.raises(CommandError):
        call_command("verify_receipt", path)


def test_the_ten_lines_in_the_documents_verify_a_receipt_and_refuse_a_tampered_one(files):
    receipt, keys = files
    document = Path(__file__).parents[3] / "docs" / "privacy.md"
    script = re.search(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.S)
    assert script is not None
    assert len(script.group(1).strip().splitlines()) <= 10

    def run() -> int:
        command = [sys.executable, "-c", script.group(1), str(receipt), str(keys)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert run() == 0
    receipt.write_text(receipt.read_text().replace('"rows": ', '"rows": 1'))
    assert run() != 0


def test_whose_data_was_not_held_gets_a_receipt_that_says_so(settings):
    deletion = erasure.record_nothing_held(channel="instagram", callback_digest=None)

    receipt = receipts.verify(deletion.receipt, receipts.public_keys())

    assert (receipt["held"], receipt["rows"], receipt["commitment"]) == (False, 0, None)


def test_a_receipt_counts_what_was_erased(tmp_path):
    canary = leaving.canary(followers=25)
    deletion = erasure.request_full_erasure(owner=canary.owner, channel="web")
    while erasure.advance(deletion.pk):
        pass
    deletion.refresh_from_db()

    receipt = receipts.verify(deletion.receipt, receipts.public_keys())

    assert receipt["erased"]["followers"] == 25
    assert receipt["rows"] == sum(receipt["erased"].values())
    assert receipt["residue"]["rows"] == 0
    assert receipt["residue"]["tables"] > 30
