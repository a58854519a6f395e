"""Every test begins in English, whatever language a page of the one before was shown in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    # Django's own LocaleMiddleware leaves the language of a request behind in its thread.
    with translation.override("en"):
        yield
