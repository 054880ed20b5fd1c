"""The audit log: who did what to which thing, append-only and hash-chained."""
