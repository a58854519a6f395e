"""What a drill has found: what was broken, what members saw, what was lost, how long it took."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """A drill's outcome; `faults` are the reasons why it did not pass."""

    broken: str
    members: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)
    """Seconds from the break (or from its end, as the words say) until something was so."""
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.faults and not self.lost

    def must(self, so: bool, what: str) -> None:
        """Note a fault unless it is so."""
        if not so:
            self.faults.append(what)

    def lines(self) -> list[str]:
        """The report as it is printed."""
        found = [f"  broken       {self.broken}"]
        found += _listed("members saw", self.members or ["nobody asked"])
        found += _listed("lost", self.lost or ["nothing"])
        found += _listed("well again", [f"{what}: {s:.1f} s" for what, s in self.took.items()])
        found += _listed("noted", self.notes)
        found += _listed("FAULT", self.faults)
        return [*found, "  passed" if self.passed else "  NOT passed"]


def _listed(title: str, lines: list[str]) -> list[str]:
    return [f"  {title if number == 0 else '':12} {line}" for number, line in enumerate(lines)]
