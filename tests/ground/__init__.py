"""Tests of the modules that every room stands on."""
