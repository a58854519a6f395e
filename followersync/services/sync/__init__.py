"""Sync runs of the paged list: request, dispatch, lease, scan, judge, commit and finish."""
