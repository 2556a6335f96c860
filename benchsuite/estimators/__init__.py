"""Estimators of the quality of architectures."""
