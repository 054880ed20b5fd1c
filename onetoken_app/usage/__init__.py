"""Usage: one record per request, metadata only, and what is read from them."""
