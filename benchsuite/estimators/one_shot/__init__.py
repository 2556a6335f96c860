"""One-shot estimators: they read scores off one trained supernet, whose weights all architectures share."""
