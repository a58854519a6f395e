"""Services: the writes of followersync, by use case."""
