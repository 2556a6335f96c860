"""Differentiable searches: supernets that mix all operations, and scores and architectures derived from them."""
