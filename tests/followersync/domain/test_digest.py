"""A client proves its copy with these figures: they may never change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.domain import digest

KEY = bytes(range(32))
VECTORS: list[tuple[list[digest.Row], str]] = [
    ([], "0000000000000000000000000000000000000000000000000000000000000000"),
    (
        [(17841400000000001, "ada")],
        "4c512cd9c9b57f163620435487f06187e76aa2e08b506a67640057101705363a",
    ),
    (
        [(17841400000000001, "ada"), (-5, "grace")],
        "61e8cd3773455dbe42cfab327a3ce8e909121d6948801b9debe854783bc02bd9",
    ),
    (
        [(17841400000000001, "ada"), (-5, "grace"), (2, "bob.b_1")],
        "5648d6fc7f268aa643a1c18eedc735de45a163861b446d600549805a30736d88",
    ),
]
people = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.text()), max_size=8)


@pytest.mark.parametrize(("rows", "value"), VECTORS)
def test_the_published_vectors_hold(rows: list[digest.Row], value: str) -> None:
    assert digest.to_hex(digest.total(KEY, rows)) == value


@given(people, st.randoms())
def test_the_order_of_the_list_does_not_matter(rows: list[digest.Row], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]

    assert digest.total(KEY, rows) == digest.total(KEY, mixed)


@given(people, people)
def test_adding_and_removing_gives_what_counting_anew_gives(
    held: list[digest.Row], more: list[digest.Row]
) -> None:
    both = digest.combine(digest.total(KEY, held), added=more, removed=[], digest_key=KEY)

    assert both == digest.total(KEY, held + more)
    assert digest.combine(both, added=[], removed=more, digest_key=KEY) == digest.total(KEY, held)


def test_a_row_counted_twice_does_not_vanish() -> None:
    assert digest.total(KEY, [(1, "a"), (1, "a")]) != digest.EMPTY


def test_another_account_has_another_digest_of_the_same_people() -> None:
    assert digest.row(KEY, 1, "ada") != digest.row(KEY[::-1], 1, "ada")


@given(st.integers(0, digest.MODULUS - 1))
def test_hex_reads_back(value: int) -> None:
    assert digest.from_hex(digest.to_hex(value)) == value


def test_a_shortened_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="64"):
        digest.from_hex("ab")
