"""Tests of models, channels and routes."""
