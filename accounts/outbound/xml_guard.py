"""XML guard: limits size and depth of a file server's XML before a library parses it.

ElementTree, which webdav4 and botocore use, has no limits: entities, depth and the number of
elements let a small answer take sixty times its size.
"""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from accounts.outbound.client import OutboundError

#: Elements and attributes together; a listing has ten to thirty per file.
MOST_PARTS: Final = 500_000
DEEPEST: Final = 64
#: Bytes from one "<" to the next: a tag with all its attributes, and the text after it.
LONGEST: Final = 1 << 17
_BETWEEN: Final = re.compile(rb"[^<]+")


class _Counter:
    """Counts what the parsed tree would contain. Raises OutboundError."""

    def __init__(self) -> None:
        self._parts = self._depth = 0

    def declaration(self, *_: object) -> None:
        """Entities are declared there; no listing needs any."""
        raise OutboundError("declaration_in_xml")

    def start(self, _name: str, attributes: list[str]) -> None:
        self._parts += 1 + len(attributes) // 2
        self._depth += 1
        if self._parts > MOST_PARTS or self._depth > DEEPEST:
            raise OutboundError("too_large")

    def end(self, _name: str) -> None:
        self._depth -= 1


def checked(data: bytes) -> bytes:
    """Return `data` if its tree stays small. Invalid XML is left to the library to refuse.

    Raises OutboundError.
    """
    if any(len(between.group()) > LONGEST for between in _BETWEEN.finditer(data)):
        raise OutboundError("too_large")
    counter, parser = _Counter(), expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartDoctypeDeclHandler = counter.declaration
    parser.StartElementHandler = counter.start
    parser.EndElementHandler = counter.end
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        return data
    return data
