"""A stand-in Instagram: the other end of the protocol that `accounts.instagram.gateway` speaks.

For development, the demo, tests and benchmarks; nothing that is deployed imports it.
"""
