"""Tests of the relay: a running one, official clients, a scripted upstream, a real ledger."""
