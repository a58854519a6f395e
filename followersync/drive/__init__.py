"""Google Drive: a member's consent to read the exports in it."""
