"""Suites: their files, plans and stored records."""
