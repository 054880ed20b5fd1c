"""Billing: invoices for what was paid, and what a month came to."""
