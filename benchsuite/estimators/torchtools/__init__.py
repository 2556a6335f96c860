"""What estimators share to work with networks of torch."""
