"""Management commands of followersync."""
