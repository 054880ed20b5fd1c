"""Mails: written into an outbox together with what they tell of, and sent from there until they arrive."""
