"""The app for follower lists: syncs, imports, history, change feed, webhooks and pages."""
