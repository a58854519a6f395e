"""Imports: bring Instagram's exports into a list, from uploads, folders and transfers."""
