"""Contracts over the whole tree: what a review would have to look for in every change."""
