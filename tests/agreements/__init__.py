"""Tests of agreements as evidence."""
