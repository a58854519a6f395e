"""The demo: a whole site with a sandbox for Instagram, started by `make demo`."""
