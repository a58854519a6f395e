"""Rules for what has bitten us here: each finds a kind of fault in the syntax tree of our sources.

A line that is right nevertheless says why: `# audit: RULE: reason`, on it or on the line above.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("accounts", "followersync", "threadsite")

#: What opens connections without our budgets. The libraries of PyPI are import-linter's business.
CLIENTS = frozenset({"urllib.request", "http.client", "socket", "asyncio", "ftplib", "telnetlib"})
#: Who may: the client itself, the server's side of a socket, the demo, the stand-in for Instagram.
MAY_CONNECT = (
    "accounts/outbound/",
    "accounts/instagram/sandbox/",
    "accounts/instagram/management/commands/sandbox.py",
    "threadsite/demo/launcher.py",
    "threadsite/demo/live_log.py",
    "threadsite/worker.py",
)
#: What parses a stranger's file.
PARSERS = frozenset({"zipfile", "tarfile", "ijson", "html.parser", "xml", "csv", "lzma", "zlib"})
PARSING = "followersync.sources.archive"
IN_REQUESTS = re.compile(
    r"^(accounts|followersync)/(views|api|drive)/|/(forms|middleware|callbacks|transfer|webhooks)\.py$"
)


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.why}"


def findings(sources: Iterable[tuple[str, str]]) -> list[Finding]:
    """`sources`: (path below the project, text). Sorted."""
    found = []
    for path, text in sources:
        lines = text.splitlines()
        found += [each for each in _of_file(path, ast.parse(text)) if not _excused(each, lines)]
    return sorted(found)


def our_sources() -> Iterator[tuple[str, str]]:
    for folder in OURS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def _of_file(path: str, tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        for rule, look in RULES.items():
            why = look(path, node)
            if why:
                yield Finding(path, getattr(node, "lineno", 1), rule, why)


def _excused(finding: Finding, lines: list[str]) -> bool:
    near = lines[max(0, finding.line - 2) : finding.line]
    return any(re.search(rf"# audit: {finding.rule}: \S", line) for line in near)


def unbounded_read(path: str, node: ast.AST) -> str:
    """`x.read()` takes all there is, and how much that is somebody else decides."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    ours = isinstance(node.func.value, ast.Name) and node.func.value.id == "self"
    if node.func.attr in ("read", "readall", "readlines") and not ours and not _has_input(node):
        return f"{node.func.attr}() without a size"
    return ""


def _has_input(call: ast.Call) -> bool:
    return bool(call.args or call.keywords)


def unbudgeted_connection(path: str, node: ast.AST) -> str:
    """A time limit of these is one for each read: accounts.outbound has one for the whole call."""
    if path.startswith(MAY_CONNECT):
        return ""
    named = CLIENTS & set(_imported(node))
    return f"{min(named)} instead of accounts.outbound" if named else ""


def whole_values(path: str, node: ast.AST) -> str:
    """ijson builds each value whole, whatever its size: events are read one by one."""
    if isinstance(node, ast.Attribute) and node.attr in ("kvitems", "items"):
        value = node.value
        if isinstance(value, ast.Name) and value.id.startswith("ijson"):
            return f"ijson.{node.attr} instead of ijson.parse"
    return ""


def parser_in_request(path: str, node: ast.AST) -> str:
    """A file of a stranger's is parsed in the queue, never while a request waits."""
    if not IN_REQUESTS.search(path):
        return ""
    for name in _imported(node):
        if name in PARSERS or name.split(".")[0] in PARSERS or name.startswith(PARSING):
            return f"{name} in a request"
    return ""


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


RULES: dict[str, Callable[[str, ast.AST], str]] = {
    "unbounded-read": unbounded_read,
    "unbudgeted-connection": unbudgeted_connection,
    "whole-values": whole_values,
    "parser-in-request": parser_in_request,
}
