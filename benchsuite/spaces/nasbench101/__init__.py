"""NAS-Bench-101 (Ying et al., 2019)."""
