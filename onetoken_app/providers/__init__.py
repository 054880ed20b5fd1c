"""Adapters of upstream APIs: one module per provider. They know bytes and counts, no table and no customer."""
