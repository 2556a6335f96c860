"""Image sets: official files, a user's own, and the minibatches drawn from them."""
