"""Searches: architectures chosen by an estimator's scores, and what the choice is worth where the truth is known."""
