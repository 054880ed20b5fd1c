"""Tests of the adapters of upstream APIs."""
