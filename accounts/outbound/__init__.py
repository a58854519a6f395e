"""Outbound HTTP: a deadline for the whole call, a byte limit, and an address that was checked."""
