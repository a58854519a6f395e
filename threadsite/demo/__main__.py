"""`python -m threadsite.demo`: start the demo and stay until Ctrl-C."""

from __future__ import annotations

import sys

from threadsite.demo.launcher import main

if __name__ == "__main__":
    sys.exit(main())
