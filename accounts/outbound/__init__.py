"""Outbound HTTP: time and byte budgets per call, and checked addresses."""
