"""Sources of lists: the paged edge, exports, watched folders, transfers, and insights."""
