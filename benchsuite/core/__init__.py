"""What all layers share: errors, types, identities, files and the registry of names."""
