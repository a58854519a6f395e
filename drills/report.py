"""Report of a drill: the fault, what members saw, losses, durations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drills.member import Visitor

#: Answers that members may get during any fault; uploads are refused while a run is open, and when
#: the member has made many in an hour.
RIGHT = ("200", "202", "409", "429", "503")
SILENCE = "no answer"


@dataclass
class Report:
    """A drill's outcome; `faults` are the reasons for a failure."""

    broken: str
    members: list[str] = field(default_factory=list)
    outcomes: dict[str, dict[str, int]] = field(default_factory=dict)
    """How many answers of each kind, by address."""
    lost: list[str] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)
    """Seconds from the break (or from its end, as the words say) until something was so."""
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    skipped: str = ""
    """Why nothing was broken at all."""

    @property
    def passed(self) -> bool:
        return not self.faults and not self.lost

    def must(self, so: bool, what: str) -> None:
        """Record a fault unless `so`."""
        if not so:
            self.faults.append(what)

    def saw(self, visitor: Visitor, since: float, *, silence: bool = False) -> None:
        """Record every answer from `since` on. `silence`: what answers members was stopped."""
        self.members = visitor.lines(since)
        self.outcomes = {what: visitor.outcomes(what, since) for what in visitor.addresses}
        right = (*RIGHT, SILENCE) if silence else RIGHT
        for what, outcomes in self.outcomes.items():
            wrong = {name: count for name, count in outcomes.items() if name not in right}
            self.must(not wrong, f"{what} was answered {_counted(wrong)}")

    def must_all_be_served(self) -> None:
        """Members must have had every answer they asked for."""
        for what, outcomes in self.outcomes.items():
            self.must(set(outcomes) == {"200"}, f"{what} was answered {_counted(outcomes)}")

    def row(self) -> str:
        """The report as a Markdown table row."""
        shown = {
            what: outcomes
            for what, outcomes in self.outcomes.items()
            if what in ("page", "api") or set(outcomes) != {"200"}
        }
        cells = (
            self.broken,
            "; ".join(f"{what}: {_counted(outcomes)}" for what, outcomes in shown.items()),
            "; ".join(self.lost) or "nothing",
            "; ".join(f"{what} {seconds:.1f} s" for what, seconds in self.took.items()),
        )
        marks = "".join(f" **{fault}**" for fault in self.faults)
        return f"| {' | '.join(cells)}{marks} |"

    def lines(self) -> list[str]:
        """The lines to print."""
        if self.skipped:
            return [f"  skipped      {self.skipped}"]
        found = [f"  broken       {self.broken}"]
        found += _listed("members saw", self.members or ["nobody asked"])
        found += _listed("lost", self.lost or ["nothing"])
        found += _listed("well again", [f"{what}: {s:.1f} s" for what, s in self.took.items()])
        found += _listed("noted", self.notes)
        found += _listed("FAULT", self.faults)
        return [*found, "  passed" if self.passed else "  NOT passed"]


def _listed(title: str, lines: list[str]) -> list[str]:
    return [f"  {title if number == 0 else '':12} {line}" for number, line in enumerate(lines)]


def _counted(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{count} × {name}" for name, count in outcomes.items())
