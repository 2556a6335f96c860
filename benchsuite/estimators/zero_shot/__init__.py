"""Zero-shot estimators: one untrained network, one minibatch."""
