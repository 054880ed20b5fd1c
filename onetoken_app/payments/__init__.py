"""Payments: orders to top up, bank transfers that are reported and approved, and receipts for what was credited."""
