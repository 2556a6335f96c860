"""NDS: spaces of network design (Radosavovic et al., 2019)."""
