"""Run a management command, with the embedded PostgreSQL at hand where no other is set."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Prepare the environment, make sure a database is there, hand over to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "threadsite.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
    except ModuleNotFoundError:
        sys.exit("Threadsite's packages are not here. Run it with the Python of its .venv.")
    from threadsite import database, environment
    from threadsite.embedded import ServerError

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    environment.prepare(command)
    try:
        with database.available(needed=environment.needs_database(command)):
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)
    except ServerError as error:
        sys.exit(f"The database cannot run: {error}")
    except ImproperlyConfigured as error:
        # What is missing or malformed is named; a traceback would hide it.
        sys.exit(str(error))


if __name__ == "__main__":
    main()
