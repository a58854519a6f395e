"""The drills, one per module."""
