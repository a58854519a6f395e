"""What every test can ask for; the fixtures themselves stand in tests/support."""

from __future__ import annotations

import importlib.util

pytest_plugins = [
    name
    for name in (
        "tests.support.api",
        "tests.support.clock",
        "tests.support.language",
        "tests.support.members",
        "tests.support.queue",
        "tests.support.sandbox",
        "tests.support.sync",
        "tests.support.transfer",
    )
    if importlib.util.find_spec(name)
]
