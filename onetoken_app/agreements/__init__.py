"""Agreements: the texts by version, who accepted which, and written confirmations on file."""
