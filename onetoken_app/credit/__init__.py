"""Credit: what an organization may spend and how far. Budgets; credit that is given, sold and frozen; low balances.

The ledger keeps the money and the limits; this room knows whose they are, why, and who may change them.
"""
