"""Pages about a member's linked accounts."""
