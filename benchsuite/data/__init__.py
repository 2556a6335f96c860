"""Sources, ground-truth tables and images."""
