"""Runs: the runner, the store and imported scores."""
