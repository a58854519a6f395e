"""Views of member pages and public pages of accounts."""
