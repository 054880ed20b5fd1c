"""The ledger: accounts, transactions, postings and holds, and the writer that commits them in groups."""
