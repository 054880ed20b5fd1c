"""Journeys of a person through the console, in a real browser."""
