"""Reports from stored scores."""
