"""The Instagram sandbox: a server of the protocol that `accounts.instagram.gateway` speaks.

For development, the demo, tests and benchmarks; no deployed code imports it.
"""
