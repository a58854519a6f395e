"""A simulation that does not notice a broken rule says nothing about the rules that hold."""

from __future__ import annotations

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation, noticed


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_simulation_notices_every_broken_rule(mutation: Mutation) -> None:
    before, after = noticed(mutation)

    assert after > before
