"""Writes follower lists as Instagram's exports do, in every dialect the product reads."""

from __future__ import annotations

import html
import io
import json
import random
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from followersync.sources.archive import Archive

FOLDER = "connections/followers_and_following/"
DIALECTS = (
    "array",
    "compact",
    "relationships",
    "title",
    "link_only",
    "label_values",
    "label_values_ru",
    "label_values_nested",
    "connections",
    "html",
    "html_es",
    "html_ja",
    "html_de",
    "html_following",
)
_HTML_ZONE = timezone(timedelta(hours=-8))
_MONTHS = {
    "html": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "html_es": ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
    "html_ja": [f"{number}月" for number in range(1, 13)],
    "html_de": [
        "Jan.",
        "Feb.",
        "März",
        "Apr.",
        "Mai",
        "Juni",
        "Juli",
        "Aug.",
        "Sept.",
        "Okt.",
        "Nov.",
        "Dez.",
    ],
}
_BOX = '<div class="pam _3-95 _2ph- _a6-g uiBoxWhite noborder">'

People = Mapping[str, int]


@dataclass
class Export:
    """One export to be written: who follows since when, and how it is laid out."""

    followers: People
    following: People | None = None
    dialect: str = "array"
    owner: str = "alice.there"
    day: date = date(2026, 8, 11)
    per_part: int = 1_000_000
    prefix: str = ""
    leave_out_parts: frozenset[int] = frozenset()
    extra: dict[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What Instagram would call the zip."""
        return f"instagram-{self.owner}-{self.day.isoformat()}-Zzt7gCja.zip"

    def files(self) -> dict[str, bytes]:
        """Every file of the export by its path."""
        files = dict(self.extra)
        if self.dialect == "connections":
            lists = {"followers": self.followers, "following": self.following or {}}
            dated = {key: {n: _iso(s) for n, s in people.items()} for key, people in lists.items()}
            files[self.prefix + "connections.json"] = json.dumps(dated).encode()
            return files
        ending = "html" if self.dialect.startswith("html") else "json"
        for number, people in enumerate(self._parts(), 1):
            if number not in self.leave_out_parts:
                path = f"{self.prefix}{FOLDER}followers_{number}.{ending}"
                files[path] = write_list(people, self.dialect, owner=self.owner, day=self.day)
        if self.following is not None:
            dialect = "html_following" if ending == "html" else "following"
            path = f"{self.prefix}{FOLDER}following.{ending}"
            files[path] = write_list(newest_first(self.following), dialect)
        return files

    def zip(self, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
        """The export as a zip."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as file:
            for path, data in self.files().items():
                file.writestr(path, data)
        return buffer.getvalue()

    def write_zip(self, folder: Path) -> Path:
        """The zip, under Instagram's name, in a folder."""
        path = folder / self.name
        path.write_bytes(self.zip())
        return path

    def write_folder(self, folder: Path) -> Path:
        """The export unpacked, as a recurring one arrives in cloud storage."""
        root = folder / self.name.removesuffix(".zip")
        for path, data in self.files().items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        return root

    def _parts(self) -> list[list[tuple[str, int]]]:
        people = newest_first(self.followers)
        starts = range(0, max(len(people), 1), self.per_part)
        return [people[start : start + self.per_part] for start in starts]


def newest_first(people: People) -> list[tuple[str, int]]:
    """In the order of Instagram's files."""
    return sorted(people.items(), key=lambda person: (-person[1], person[0]))


def write_list(
    people: Iterable[tuple[str, int]],
    dialect: str,
    *,
    owner: str = "alice.there",
    day: date = date(2026, 8, 11),
) -> bytes:
    """One file of people."""
    if dialect.startswith("html"):
        return _html(people, dialect, owner, day).encode()
    rows = [_row(name, second, dialect) for name, second in people]
    if dialect in ("relationships", "title", "following"):
        key = "relationships_following" if dialect == "following" else "relationships_followers"
        return json.dumps({key: rows}, indent=2).encode()
    if dialect == "compact":
        return json.dumps(rows, separators=(",", ":")).encode()
    return json.dumps(rows, indent=2).encode()


def mangle(text: str) -> str:
    """Each UTF-8 byte as a character, as the exports have it."""
    return text.encode().decode("latin-1")


def population(count: int, *, seed: int = 1, newest: int = 1_785_000_000) -> dict[str, int]:
    """Distinct names and follow seconds, seeded."""
    source = random.Random(seed)
    second, people = newest, {}
    for index in range(count):
        second -= source.randint(1, 7200)
        stem = source.choice(("anna", "ben", "cem", "dora", "emre", "fatma", "gus", "hana"))
        people[f"{stem}{source.choice(('.', '_', ''))}{source.getrandbits(24):x}{index}"] = second
    return people


def _row(name: str, second: int, dialect: str) -> dict[str, object]:
    if dialect.startswith("label_values"):
        return _label_row(name, second, dialect)
    link = {"href": f"https://www.instagram.com/{name}", "value": name, "timestamp": second}
    if dialect in ("title", "following"):
        link = {"href": f"https://www.instagram.com/_u/{name}", "timestamp": second}
        return {"title": name, "string_list_data": [link]}
    if dialect == "link_only":
        link = {"href": f"https://www.instagram.com/_u/{name}/?hl=en", "timestamp": second}
    return {"title": "", "media_list_data": [], "string_list_data": [link]}


def _label_row(name: str, second: int, dialect: str) -> dict[str, object]:
    russian = dialect.endswith("ru")
    labels = ("Имя", "Имя пользователя") if russian else ("Name", "Username")
    values: list[dict[str, object]] = [
        {"label": "URL", "value": ""},
        {"label": mangle(labels[0]), "value": mangle("Zoë }, { Örnek ☕")},
        {"label": mangle(labels[1]), "value": name},
    ]
    if dialect.endswith("nested"):
        values = [{"dict": values[:2], "title": ""}, {"vec": [{"dict": values[2:]}]}]
    return {"timestamp": second, "media": [], "label_values": values, "fbid": "10000000000000001"}


def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _html(people: Iterable[tuple[str, int]], dialect: str, owner: str, day: date) -> str:
    boxes = "".join(_box(name, second, dialect) for name, second in people)
    when = f'<time datetime="{day.isoformat()}T18:42Z">Tuesday</time>'
    made = {
        "html_es": f"Generado por {owner} el {when}",
        "html_ja": f"{when}に{owner}さんが作成しました",
        "html_de": f"Erstellt von {owner} am {when}",
    }.get(dialect, f"Generated by {owner} on {when}")
    return (
        '<html><head><meta charset="UTF-8" /><title>Followers</title></head><body><div>'
        f'<header><h1>Followers</h1><aside role="contentinfo">{made}</aside></header>'
        f'<main class="_a706" role="main">{boxes}</main></div></body></html>'
    )


def _box(name: str, second: int, dialect: str) -> str:
    local = datetime.fromtimestamp(second, _HTML_ZONE)
    months = _MONTHS.get(dialect, _MONTHS["html"])
    half = "am" if local.hour < 12 else "pm"
    when = f"{months[local.month - 1]} {local:%d, %Y} {(local.hour - 1) % 12 + 1}:{local:%M} {half}"
    name = html.escape(name)
    link, shown, head = f"https://www.instagram.com/{name}", name, ""
    if dialect == "html_following":
        link = shown = f"https://www.instagram.com/_u/{name}"
        head = f"<h2>{name}</h2>"
    return (
        f'{_BOX}{head}<div class="_a6-p"><div><div><a target="_blank" href="{link}">{shown}</a>'
        f"</div><div>{when}</div></div></div></div>"
    )


def merged(archive: Archive) -> dict[str, int | None]:
    """All followers by name, of repeated names the newest second. For lists that fit in memory."""
    people: dict[str, int | None] = {}
    for batch in archive.batches():
        for name, second in zip(batch.usernames, batch.seconds, strict=True):
            people[name] = max((s for s in (second, people.get(name)) if s), default=None)
    return people
