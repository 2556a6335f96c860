"""Tools for networks of torch that estimators share."""
