"""What a member gave or asked for is found by every host, read by no other, and goes with them."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from accounts import files
from accounts.files import kept, sealing
from accounts.files.storage import put, storage_at
from accounts.models import FilePiece, KeptFile
from accounts.services import erasure, export, keys
from accounts.services.erasure import restored_backup
from tests.support import leaving, residue
from tests.support.clock import Clock

pytestmark = pytest.mark.django_db

SIZES = [0, 1, sealing.PIECE - 1, sealing.PIECE, sealing.PIECE + 1, 3 * sealing.PIECE + 17]


def content(size: int) -> bytes:
    """Bytes of which no two pieces are equal."""
    block = b"".join(hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(size // 32 + 1))
    return block[:size]


def keep(account, data: bytes) -> str:
    return files.keep(files.Area.IMPORTS, io.BytesIO(data), account=account)[0]


def stored(name: str) -> bytes:
    return kept.storage().read(name)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_kept_comes_back_whole_and_lies_there_in_cipher(kept_in, account, size):
    data = content(size)

    name = keep(account, data)

    with files.opened(name) as file:
        assert file.read() == data
    assert KeptFile.objects.get(name=name).size == size
    assert size < 32 or data[:32] not in stored(name)


def test_a_file_is_read_from_anywhere_as_a_browser_or_a_zip_reader_does(kept_in, account):
    data = content(2 * sealing.PIECE + 1000)
    with files.opened(keep(account, data)) as file:
        file.seek(-900, io.SEEK_END)
        assert file.read(400) == data[-900:-500]
        file.seek(sealing.PIECE - 5)
        assert file.read(10) == data[sealing.PIECE - 5 : sealing.PIECE + 5]
        assert file.seek(0, io.SEEK_END) == len(data)
        assert file.read(1) == b""


@pytest.mark.slow
def test_a_large_file_passes_in_pieces(kept_in, account):
    """What 4 GiB need: memory that does not grow with the file."""

    class Endless(io.RawIOBase):
        left = 40 << 20

        def readable(self) -> bool:
            return True

        def seek(self, *args) -> int:
            return 0

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    keep(account, b"warm")
    tracemalloc.start()
    name, size = files.keep(files.Area.IMPORTS, Endless(), account=account)
    with files.scratch_copy(name) as copy:
        assert copy.seek(0, io.SEEK_END) == size == 40 << 20
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # S3's stand-in runs in this process and holds the object itself.
    assert most < (36 << 20 if kept_in != "s3" else 400 << 20)


def test_a_lease_is_renewed_while_a_large_file_is_copied_to_this_host(account):
    """Else a second worker would take the first for dead, and read the same archive."""
    name = keep(account, bytes((3 << 20) + 1))
    renewed: list[int] = []

    with files.scratch_copy(name, beat=lambda: renewed.append(1)):
        pass

    assert len(renewed) == 4


def test_another_host_finds_the_file_and_this_one_erases_it(kept_in, account, on_host):
    on_host("one")
    name = keep(account, b"an archive")

    on_host("two")
    with files.opened(name) as file:
        assert file.read() == b"an archive"
    files.discard(name)

    on_host("one")
    with pytest.raises(FileNotFoundError):
        files.opened(name)
    with pytest.raises(FileNotFoundError):
        stored(name)


def test_an_erasure_takes_files_along_wherever_they_lie(kept_in, settings):
    canary = leaving.canary(followers=3)
    assert [hit for hit in residue.hits([leaving.NAME, leaving.MAIL]) if hit.startswith("file ")]
    restored_backup.compare()

    deletion = erasure.request_full_erasure(owner=canary.owner, channel="web")
    while erasure.advance(deletion.pk):
        pass

    deletion.refresh_from_db()
    assert deletion.state == "completed"
    assert deletion.erased["export files"] == 1
    assert residue.hits(canary.words) == []
    assert [each.name for each in kept.storage().find() if each.name != kept.MARK] == []
    assert not FilePiece.objects.exists()


def test_a_file_that_no_step_erased_is_residue(account, monkeypatch):
    restored_backup.compare()
    keep(account, b"an archive")
    monkeypatch.setattr(files, "erase", lambda **_of: 0)
    monkeypatch.setattr("accounts.services.erasure.rows.delete_batch", lambda *_given: 0)
    deletion = erasure.request_account_erasure(account=account, channel="web")

    erasure.advance(deletion.pk)

    deletion.refresh_from_db()
    assert (deletion.state, deletion.error_code) == ("running", "ResidueLeft")


def test_what_broke_off_leaves_nothing(kept_in, account):
    def break_off() -> None:
        with files.writing(files.Area.IMPORTS, account=account) as file:
            file.write(content(9 << 20))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()

    assert not KeptFile.objects.exists()
    assert [each.name for each in kept.storage().find()] == []


def test_too_large_is_refused_before_all_of_it_is_kept(kept_in, account):
    with pytest.raises(ValueError, match="too large"):
        files.keep(files.Area.IMPORTS, io.BytesIO(content(3 << 20)), account=account, most=1 << 20)

    assert not KeptFile.objects.exists()


def test_what_a_killed_process_left_is_swept_after_a_day_and_not_before(kept_in, account, clock):
    name = keep(account, b"half")
    KeptFile.objects.filter(name=name).update(complete=False)
    put(kept.storage(), "imports/unknown", b"nobody's")
    clock.moment = kept.clock.wall()
    assert files.sweep() == 0

    clock.advance(hours=25)
    later = clock.moment
    KeptFile.objects.filter(name=name).update(stored_at=later - timedelta(hours=25))
    assert files.sweep() >= 1

    assert not KeptFile.objects.exists()
    assert {each.name for each in kept.storage().find()} <= {kept.MARK, "imports/unknown"}


def test_a_damaged_or_exchanged_piece_is_never_handed_out(account, settings, tmp_path):
    first, second = keep(account, content(2 << 20)), keep(account, b"x" * (2 << 20))
    place = kept.storage()
    sealed = place.read(first)
    for wrong in (
        sealed[: sealing.SEALED] * 2,  # a piece in another's place
        place.read(second),  # another file's
        sealed[:-5],  # cut off
        bytes([sealed[0] ^ 1]) + sealed[1:],
    ):
        put(place, first, wrong)
        with pytest.raises(sealing.Damaged), files.opened(first) as file:
            file.read()


def test_keys_of_files_move_along_when_the_site_s_keys_are_rotated(account, settings):
    old = list(settings.TOKEN_KEYS)
    name = keep(account, b"an archive")
    settings.TOKEN_KEYS = [Fernet.generate_key().decode(), *old]

    assert keys.rotate().moved == 1

    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    with files.opened(name) as file:
        assert file.read() == b"an archive"


def test_a_copy_for_a_member_is_made_on_one_host_and_fetched_from_another(
    kept_in, alice, on_host, clock: Clock
):
    on_host("one")
    asked = export.request_export(owner=alice)
    export.advance(asked.pk)
    asked.refresh_from_db()
    assert asked.state == "ready"

    on_host("two")
    stream, _name = export.open_file(export=asked)
    with stream:
        assert stream.read(2) == b"PK"
    clock.advance(days=8)
    assert export.expire() == 1
    assert not KeptFile.objects.exists()


def test_a_storage_that_does_not_answer_fails_no_copy_for_good(alice, settings, clock, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    settings.FILES_URL = (blocked / "files").as_uri()
    asked = export.request_export(owner=alice)
    for _time in range(9):
        export.advance(asked.pk)
        clock.advance(minutes=3)
    settings.FILES_URL = ""

    assert export.due() == [asked.pk]
    export.advance(asked.pk)

    asked.refresh_from_db()
    assert asked.state == "ready"


@pytest.mark.parametrize("url", ["memory://x", "local", "s3://key:secret@bucket/x", "nosuch://x/y"])
def test_an_address_that_cannot_be_is_named_and_its_secret_is_not(url, tmp_path):
    with pytest.raises(ImproperlyConfigured) as refused:
        storage_at(url, {}, default=tmp_path)

    assert "secret@" not in str(refused.value)
