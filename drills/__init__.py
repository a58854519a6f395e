"""Drills: break one part of a running site, and measure what it does to members.

`python -m drills` lists them, `python -m drills NAME` runs one, `make drill` runs all.
"""
