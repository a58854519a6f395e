"""Texts for people: results, evidence, errors and formats."""
