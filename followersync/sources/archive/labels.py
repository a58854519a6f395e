"""Labels of a `label_values` export: which one precedes the username, in any language.

Labels are localised and double-encoded. A known label decides; an unknown one only where it alone
can be the username, so that a file in an unknown language is refused rather than misread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from followersync.sources.archive.usernames import as_handle, unmangle

# Instagram's interface words. The Russian and English ones were seen in exports, the rest in the
# app's translations.
USERNAME_LABELS = frozenset(
    label.casefold()
    for label in (
        "Username", "Имя пользователя", "Benutzername", "Nutzername", "Nombre de usuario",
        "Nom d’utilisateur", "Nom d'utilisateur", "Nome utente", "Nome de usuário",
        "Nome de utilizador", "ユーザーネーム", "사용자 이름", "用户名", "用戶名稱",
        "Kullanıcı adı", "Nazwa użytkownika", "Gebruikersnaam", "Användarnamn", "Nama pengguna",
        "Tên người dùng", "اسم المستخدم",
        "Όνομα χρήστη", "Uživatelské jméno", "Brugernavn", "Käyttäjänimi",
        "Brukernavn", "Felhasználónév", "Nume de utilizator", "Ім'я користувача", "ชื่อผู้ใช้",
        "שם משתמש", "उपयोगकर्ता नाम",
    )
)  # fmt: skip
NAME_LABELS = frozenset(
    label.casefold()
    for label in (
        "Name", "Имя", "Nombre", "Nom", "Nome", "名前", "이름", "姓名", "名称", "Ad", "Adı",
        "Nazwa", "Imię", "Naam", "Namn", "Nama", "Tên", "الاسم", "Όνομα", "Jméno", "Navn",
        "Nimi", "Név", "Nume", "Ім'я", "ชื่อ", "שם", "नाम",
    )
)  # fmt: skip
_URL_LABELS = frozenset({"url"})
_DEEPEST = 8


def pairs(values: Iterable[Any], depth: int = 0) -> Iterator[tuple[str, str]]:
    """(label, value) of every level; values may nest in `dict` and `vec`, a few levels deep."""
    if depth > _DEEPEST:
        return
    for item in values:
        if not isinstance(item, dict):
            continue
        label, value = item.get("label"), item.get("value")
        if isinstance(label, str) and isinstance(value, str):
            yield unmangle(label).strip().casefold(), value
        for nest in ("dict", "vec"):
            inner = item.get(nest)
            if isinstance(inner, list):
                yield from pairs(inner, depth + 1)


def values_under(values: Iterable[Any], label: str) -> Iterator[str]:
    """The values of one row under the label."""
    return (value for name, value in pairs(values) if name == label)


def choose_label(rows: Iterable[Iterable[Any]]) -> str | None:
    """The label of the username, or None where the rows do not decide.

    An unknown label is accepted only if all its values are usernames while every other unknown one
    has a value that is not: two such labels, or one alone, prove nothing.
    """
    possible: dict[str, bool] = {}
    for values in rows:
        for label, value in pairs(values):
            if label in USERNAME_LABELS:
                return label
            if label not in _URL_LABELS:
                possible[label] = possible.get(label, True) and as_handle(value) is not None
    candidates = [label for label, fits in possible.items() if fits and label not in NAME_LABELS]
    contrast = any(not fits for fits in possible.values()) or any(
        label in NAME_LABELS for label in possible
    )
    return candidates[0] if len(candidates) == 1 and contrast else None
