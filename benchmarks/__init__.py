"""Measurements; each module is run with ``python -m`` and prints its figures."""
