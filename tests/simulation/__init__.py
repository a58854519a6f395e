"""A world, a lister with every reported fault, and the product's own domain between them.

The door for other worlds: docs/simulation.md.
"""

from __future__ import annotations

from tests.simulation.account import Account
from tests.simulation.door import Page, Refused, Report, Transient

__all__ = ["Account", "Page", "Refused", "Report", "Transient"]
