"""The content security policy holds in a real browser, and a test sees it when it is violated."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.django_db(transaction=True)

FOREIGN_PICTURE = "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.2:9/x'}))"
INLINE_SCRIPT = """
const made = Object.assign(document.createElement("script"), {text: "window.ran = 1"});
document.body.append(made);
"""


@pytest.mark.parametrize(
    ("act", "directive"), [(FOREIGN_PICTURE, "img-src"), (INLINE_SCRIPT, "script-src")]
)
def test_what_the_policy_forbids_is_blocked_and_would_fail_the_test(
    page: Page, complaints: list[str], act: str, directive: str
) -> None:
    page.goto("/")

    page.evaluate(f"() => {{ {act} }}")
    page.wait_for_function("document.body")

    assert page.evaluate("window.ran") is None
    assert any(directive in each and " blocked " in each for each in complaints)
    complaints.clear()
