"""NAS-Bench-201 (Dong and Yang, 2020)."""
