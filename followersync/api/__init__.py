"""API of followersync: accounts, followers, changes, figures, imports, runs and webhooks."""
