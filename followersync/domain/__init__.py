"""The pure heart: plain values in, plain values out; no Django, no I/O, no clock."""
