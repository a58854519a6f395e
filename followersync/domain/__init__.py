"""The rules of follower lists as pure functions: no Django, no I/O, no clock."""
