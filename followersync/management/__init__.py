"""Management commands of followersync and their shared code."""
