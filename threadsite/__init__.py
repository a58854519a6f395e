"""The project: settings, URLs, queue, logs, metrics, operator commands."""

from __future__ import annotations

__version__ = "0.1.0"
