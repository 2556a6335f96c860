"""The space S1 of SCARLET-NAS (Chu et al., 2019)."""
