"""Verification: the case file by which an organization proves what it is, its documents, and the decision on it."""
