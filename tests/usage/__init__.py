"""Tests of call records and what is read from them."""
