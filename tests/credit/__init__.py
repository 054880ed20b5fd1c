"""Tests of the credit room."""
