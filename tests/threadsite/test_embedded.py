"""The database starts wherever the project lies, whatever a kill left, and touches nobody else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from threadsite import database, embedded
from threadsite.embedded import EmbeddedServer

pytestmark = pytest.mark.slow  # each is a start of PostgreSQL

PROJECT = Path(__file__).parents[2]
ODD = [
    "with space",
    "a#b",
    "it's",
    "%20",
    "100%",
    "Höfe",
    "a,b",
    'say "so"',
    "$HOME`x`;&",
    "a+b?c=d",
]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Not pytest's own: each run of it takes that folder away from the server's account."""
    with tempfile.TemporaryDirectory(
        prefix="threadsite-test-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data folder to copy: making one takes longest."""
    with tempfile.TemporaryDirectory(
        prefix="threadsite-test-", ignore_cleanup_errors=True
    ) as place:
        server = EmbeddedServer(Path(place) / "postgres")
        server.start()
        server.stop()
        yield server.folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    place = tmp_path / "postgres"
    subprocess.run(["cp", "-a", made, place], check=True)
    return place


@pytest.fixture
def bystander(made: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else's process under the very account that the server has: it could be ended."""
    owner = made.stat().st_uid
    process = subprocess.Popen(["sleep", "600"], user=owner if os.geteuid() == 0 else None)
    yield process
    process.kill()
    process.wait()


def answers(address: str) -> bool:
    """Whether Django's own reading of the address leads to the database."""
    options = database.configuration(address)
    with psycopg.connect(
        host=options["HOST"], port=options["PORT"], user=options["USER"], dbname=options["NAME"]
    ) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def kill(folder: Path) -> None:
    """The server dies without a word, with all its processes."""
    running = embedded.find(folder)
    assert running is not None
    below = running.process.children(recursive=True)
    running.process.kill()
    running.process.wait(10)
    psutil.wait_procs(below, 10)


def claim_number(folder: Path, number: int | str) -> None:
    """Write another number into what the killed server left."""
    for path in (folder / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        if path.exists():
            _first, *rest = path.read_text().splitlines()
            path.write_text("\n".join([str(number), *rest, ""]))


@pytest.mark.parametrize("name", ODD)
def test_the_database_starts_in_a_folder_of_any_name(
    folder: Path, tmp_path: Path, name: str
) -> None:
    place = tmp_path / name / "postgres"
    place.parent.mkdir()
    folder.rename(place)
    server = EmbeddedServer(place)
    try:
        assert answers(server.start())
    finally:
        server.stop()
    assert embedded.find(place) is None


@pytest.mark.parametrize("name", ["it's #1 of 100% Höfe", "x" * 120])
def test_a_new_database_is_made_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    server = EmbeddedServer(tmp_path / name / "postgres")
    try:
        assert answers(server.start())
    finally:
        server.stop()


@pytest.mark.parametrize("variables", [{"LANG": "en_GB.UTF-8"}, {"LC_ALL": "xx_YY"}, {"LANG": ""}])
def test_a_locale_that_the_machine_lacks_keeps_nothing_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    server = EmbeddedServer(tmp_path / "postgres")
    try:
        address = server.start()
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT upper('ä'), 'B' < 'a'").fetchone() == ("Ä", True)
    finally:
        server.stop()


@pytest.mark.parametrize("port", ["5433", "nonsense"])
def test_variables_meant_for_another_database_do_not_reach_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    monkeypatch.setenv("PGPORT", port)
    monkeypatch.setenv("PGDATA", "/nowhere")
    server = EmbeddedServer(folder)
    try:
        assert answers(server.start())
    finally:
        server.stop()


def test_a_process_that_has_the_number_of_a_killed_server_is_left_alone(
    folder: Path, bystander: subprocess.Popen[bytes]
) -> None:
    server = EmbeddedServer(folder)
    server.start()
    kill(folder)
    claim_number(folder, bystander.pid)

    server.stop()
    assert bystander.poll() is None
    assert answers(server.start())
    server.stop()

    assert bystander.poll() is None
    assert embedded.find(folder) is None


def test_the_server_of_another_folder_is_left_alone(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "postgres"
    copy.parent.mkdir()
    first, second = EmbeddedServer(folder), EmbeddedServer(copy)
    address = first.start()
    try:
        # The copy's `postmaster.pid` names the first one's server, which is a PostgreSQL indeed.
        subprocess.run(["cp", "-a", folder, copy], check=True)
        assert second.start() != address
        second.stop()
        assert answers(address)
    finally:
        first.stop()


@pytest.mark.parametrize("left", ["", "\n", "no number\n", "-1\n", f"{10**30}\n", "1\n/x\n"])
def test_a_damaged_file_of_the_server_keeps_nothing_from_starting(folder: Path, left: str) -> None:
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (folder / name).write_text(left)
        shutil.chown(folder / name, folder.stat().st_uid)
    server = EmbeddedServer(folder)
    try:
        assert answers(server.start())
    finally:
        server.stop()


def test_who_comes_later_shares_the_server_and_the_last_one_stops_it(folder: Path) -> None:
    first, second = EmbeddedServer(folder), EmbeddedServer(folder)
    address = first.start()
    assert second.start() == address

    first.stop()
    assert answers(address)
    second.stop()

    assert embedded.find(folder) is None


def test_a_server_whose_owner_was_killed_is_found_again(folder: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from threadsite.embedded import EmbeddedServer;"
        "EmbeddedServer(Path(sys.argv[1])).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code, folder], cwd=PROJECT, check=False)
    assert ended.returncode == -signal.SIGKILL
    left = embedded.find(folder)
    assert left is not None

    server = EmbeddedServer(folder)
    server.start()
    found = embedded.find(folder)
    server.stop()

    assert found is not None
    assert found.process == left.process
    assert not left.process.is_running()


def test_a_database_whose_making_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    server = EmbeddedServer(tmp_path / "postgres")
    try:
        assert answers(server.start())
    finally:
        server.stop()
    assert not unfinished.exists()


def test_files_of_somebody_else_are_neither_used_nor_removed(tmp_path: Path) -> None:
    place = tmp_path / "home" / "postgres"
    place.mkdir(parents=True)
    (place / "diary.txt").write_text("mine")

    ended = run_manage(PROJECT, "check", home=tmp_path / "home")

    assert ended.returncode == 1
    assert "The database cannot run" in ended.stderr
    assert "holds files" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (place / "diary.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["it's #1", "100%20 Höfe"])
def test_commands_start_in_a_project_folder_of_any_name(
    made: Path, tmp_path: Path, name: str
) -> None:
    project = tmp_path / name
    project.mkdir()
    shutil.copy(PROJECT / "manage.py", project)
    for package in ("threadsite", "accounts", "followersync"):
        shutil.copytree(PROJECT / package, project / package)
    (project / ".local").mkdir()
    subprocess.run(["cp", "-a", made, project / ".local" / "postgres"], check=True)

    ended = run_manage(project, "migrate", "contenttypes", "--no-input")

    assert ended.returncode == 0, ended.stderr
    assert "Applying contenttypes" in ended.stdout


def run_manage(
    project: Path, *arguments: str, home: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A command as another terminal would run it, in a locale that the machine lacks."""
    variables = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    variables |= {"LC_ALL": "en_GB.UTF-8", "DEBUG": "1"}
    if home is not None:
        variables["THREADSITE_HOME"] = str(home)
    return subprocess.run(
        [sys.executable, project / "manage.py", *arguments],
        cwd=project,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
