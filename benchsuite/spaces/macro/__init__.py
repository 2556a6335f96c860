"""NAS-Bench-Macro (Su et al., 2021)."""
