"""Chains of mobile blocks: NAS-Bench-Macro and SCARLET."""
