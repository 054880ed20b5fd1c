"""Prices: the versioned price book, and quotes computed from it."""
