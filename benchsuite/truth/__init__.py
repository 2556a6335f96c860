"""Making ground truth: sampled architectures trained with several seeds, their table and its card."""
