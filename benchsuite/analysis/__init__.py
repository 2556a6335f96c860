"""Criteria: pure functions on scores and ground truth."""
