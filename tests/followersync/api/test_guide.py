"""What docs/api.md tells programs is so."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

from accounts.services.quotas import QUOTAS
from followersync.services.webhooks.outbound import signed

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_guides_own_check_believes_our_signature_and_no_other():
    code = re.search(r"^    import base64.*?(?=^\S)", GUIDE, re.M | re.S)
    assert code
    names: dict[str, Any] = {}
    exec(dedent(code.group(0)), names)  # the guide's very text
    headers = signed("msg_1", 1614265330, b"{}", SECRET)

    assert names["is_ours"](headers, b"{}", SECRET)
    assert not names["is_ours"](headers, b"{ }", SECRET)
    assert not names["is_ours"](headers, b"{}", "whsec_AAAA")


def test_the_guide_states_the_quotas_in_force():
    hourly = {name: q.times for name, q in QUOTAS.items() if q.period.total_seconds() == 3600}

    assert f"| syncs begun | {hourly['sync']} an hour |" in GUIDE
    assert f"| imports, linking, erasures | {hourly['import']} an hour each |" in GUIDE
    assert hourly["import"] == hourly["link"] == hourly["erasure"]
    assert f"| webhooks made | {hourly['webhook']} an hour |" in GUIDE
    assert (QUOTAS["export"].times, QUOTAS["export"].period.days) == (10, 1)
