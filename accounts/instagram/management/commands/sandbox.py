"""`manage.py sandbox`: run the Instagram sandbox alone."""

from __future__ import annotations

import asyncio
import signal
import time
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import clock
from accounts.instagram.sandbox.fault_kinds import from_words
from accounts.instagram.sandbox.messages import BadRequest
from accounts.instagram.sandbox.server import serve
from accounts.instagram.sandbox.state import load, save
from accounts.instagram.sandbox.world import Config, World

# What a kill may undo; the tokens of a link that is this young too.
SAVE_SECONDS: Final = 3.0


class Command(BaseCommand):
    help = "Serves a stand-in Instagram whose people follow, leave, return and rename."
    # It needs no database, and must run without one.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8900)
        parser.add_argument("--seed", type=int, default=0, help="the same seed, the same people")
        parser.add_argument(
            "--faults",
            nargs="*",
            default=[],
            metavar="NAME=VALUE",
            help="what goes wrong (docs/faults.md); a name alone has a value that shows it",
        )
        parser.add_argument(
            "--per-minute",
            type=float,
            default=4.0,
            help="what happens by itself, per account; 0 stops time",
        )
        parser.add_argument(
            "--calls-per-hour", type=int, default=None, help="a limit for each account"
        )
        parser.add_argument("--site-url", default="http://127.0.0.1:8000")
        parser.add_argument("--state", type=Path, help="keeps everything here over a restart")
        parser.add_argument("--big", action="store_true", help="grace too, with 100,000 followers")

    def handle(self, *args: Any, **options: Any) -> None:
        config = Config(
            client_id=settings.INSTAGRAM_CLIENT_ID,
            client_secret=settings.INSTAGRAM_CLIENT_SECRET,
            site_url=options["site_url"],
            webhook_verify_token=settings.INSTAGRAM_WEBHOOK_VERIFY_TOKEN,
            clock=time.time if settings.CLOCK_FOLDER is None else _fast_clock,
        )
        path: Path | None = options["state"]
        world = load(path, config) if path else None
        world = world or World(config, seed=options["seed"], big=options["big"])
        try:
            world.faults.set(from_words(options["faults"]), world.microseconds())
        except BadRequest as error:
            raise CommandError(str(error)) from None
        world.calls_per_hour = options["calls_per_hour"]
        world.life.set_rate(max(options["per_minute"], 0), world.microseconds())
        try:
            asyncio.run(self._serve(world, options["host"], options["port"], path))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {options['host']}:{options['port']} ({error.strerror})."
                " Something else does; choose another with --port."
            ) from None

    async def _serve(self, world: World, host: str, port: int, path: Path | None) -> None:
        server = await serve(world, host, port)
        stop = asyncio.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, stop.set)
        address = server.sockets[0].getsockname()
        self.stdout.write(f"sandbox: http://{host}:{address[1]}")
        self.stdout.flush()
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SAVE_SECONDS)
            if path is not None and world.asked:
                save(world, path)
        server.close()


def _fast_clock() -> float:
    """The site's fast clock, in Unix seconds."""
    return clock.now().timestamp()
