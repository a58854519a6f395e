"""The project: settings, URLs, queue, logs, metrics, operator commands."""
