"""One-shot estimators: scores read off one trained supernet whose weights all architectures share."""
