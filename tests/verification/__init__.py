"""Tests of the verification room."""
