"""Services: all writes of accounts."""
