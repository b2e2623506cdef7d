"""One tick, and many worlds."""
