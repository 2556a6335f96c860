"""NAS-Bench-301, the DARTS search space (Zela et al., 2022)."""
