#!/usr/bin/env python
"""Run a management command, with the embedded PostgreSQL at hand where no other is set."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Prepare the environment, make sure a database is there, hand over to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "threadsite.settings")
    from threadsite import environment

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    environment.prepare(command)
    from threadsite import database
    from threadsite.embedded import ServerError

    try:
        with database.available(needed=environment.needs_database(command)):
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)
    except ServerError as error:
        sys.exit(f"The database cannot run: {error}")


if __name__ == "__main__":
    main()
