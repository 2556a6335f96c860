"""Baselines: what an estimator must beat. They read the architecture or its learning curve, no network."""
