"""Credit: what an organization may spend, and how far: its budgets, and what the relay has to know of them."""
