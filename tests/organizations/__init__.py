"""Tests of customers and their members."""
