"""Readers, each of one official file format."""
