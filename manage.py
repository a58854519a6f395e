#!/usr/bin/env python
"""A management command from a checkout; installed, it is called `threadsite`."""

from __future__ import annotations

from threadsite.__main__ import main

if __name__ == "__main__":
    main()
