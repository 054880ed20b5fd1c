"""Tests of the reconciliation room."""
