"""Tests of people and their sessions."""
