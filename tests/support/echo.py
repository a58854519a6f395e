"""The smallest WSGI application: answers how many bytes it was sent, or with more than fits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from typing import IO, Any, Final

#: More than any socket takes in without a reader.
LARGE: Final = 32 << 20


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    place = environ["PATH_INFO"]
    if place in ("/large", "/file"):
        start_response("200 OK", [("Content-Length", str(LARGE))])
        if place == "/large":
            return [b"x" * LARGE]
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](_file())
        return wrapped
    if place == "/where":
        body = (environ["SCRIPT_NAME"] + place).encode()
    else:
        size = 0
        while piece := environ["wsgi.input"].read(65_536):
            size += len(piece)
        body = str(size).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _file() -> IO[bytes]:
    """Of LARGE bytes; on a real file, which gunicorn hands to the kernel."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  the server closes it
    file.truncate(LARGE)
    file.seek(0)
    return file
