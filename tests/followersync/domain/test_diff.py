"""The difference of two sorted lists; an error here is a false gain or a false loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followersync.domain.diff import bulk_diff

lists = st.dictionaries(st.integers(), st.sampled_from("abc"), max_size=20)


@given(lists, lists)
def test_the_difference_leads_from_one_list_to_the_other(
    old: dict[int, str], new: dict[int, str]
) -> None:
    old_keys, new_keys = sorted(old), sorted(new)
    diff = bulk_diff(
        old_keys, [old[key] for key in old_keys], new_keys, [new[key] for key in new_keys]
    )

    assert [new_keys[at] for at in diff.added] == sorted(new.keys() - old.keys())
    assert [old_keys[at] for at in diff.removed] == sorted(old.keys() - new.keys())
    assert {old_keys[one] for one, _ in diff.renamed} == {
        key for key in old.keys() & new.keys() if old[key] != new[key]
    }
    assert all(old_keys[one] == new_keys[other] for one, other in diff.renamed)


@pytest.mark.parametrize("keys", [[2, 1], [1, 1]])
def test_a_list_out_of_order_is_refused_rather_than_misread(keys: list[int]) -> None:
    with pytest.raises(ValueError, match="rise"):
        bulk_diff(keys, ["a", "b"], [1], ["a"])
