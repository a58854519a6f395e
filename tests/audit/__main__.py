"""`make audit`: our own rules, bandit, and known vulnerabilities of what we deploy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.audit.rules import OURS, ROOT, findings, our_sources

BIN = Path(sys.executable).parent
#: Where the advisory service is away, pip-audit asks it for each package in turn.
ADVISORY_SECONDS = 300


def main() -> int:
    """0 where nothing was found; what could not be asked is said, and is no finding."""
    outcomes = [own_rules(), bandit(), advisories()]
    return int(not all(outcomes))


def own_rules() -> bool:
    found = findings(our_sources())
    for each in found:
        print(each)
    print(f"rules: {len(found)} findings")
    return not found


def bandit() -> bool:
    command = [BIN / "bandit", "-q", "-c", "pyproject.toml", "-r", *OURS, "manage.py"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"bandit: {'nothing found' if outcome.returncode == 0 else outcome.stdout}")
    return outcome.returncode == 0


def advisories() -> bool:
    command = [BIN / "pip-audit", "-f", "json", "--disable-pip", "--require-hashes"]
    command += ["-r", "requirements.txt", "--progress-spinner", "off", "--timeout", "10"]
    try:
        outcome = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False,
            timeout=ADVISORY_SECONDS,
        )  # fmt: skip
        told = json.loads(outcome.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError, TypeError):
        told = []
    well, line = verdict(told)
    print(line)
    return well


def verdict(told: list[dict[str, Any]]) -> tuple[bool, str]:
    """(well, what to say) for the "dependencies" of pip-audit's JSON."""
    asked = [each for each in told if "skip_reason" not in each]
    if not asked:
        return True, "advisories: NOT CHECKED, the advisory service cannot be reached from here"
    bad = [each for each in asked if each.get("vulns")]
    lines = [
        f"{each['name']} {each['version']}: {', '.join(v['id'] for v in each['vulns'])}"
        for each in bad
    ]
    skipped = len(told) - len(asked)
    more = f", {skipped} could not be asked for" if skipped else ""
    summary = f"advisories: {len(bad)} of {len(asked)} packages have known vulnerabilities{more}"
    return not bad, "\n".join([*lines, summary])


if __name__ == "__main__":
    raise SystemExit(main())
