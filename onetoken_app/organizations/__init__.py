"""Organizations: the customers, their members and roles, and whether they are in good standing."""
