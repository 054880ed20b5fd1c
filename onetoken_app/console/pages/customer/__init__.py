"""Pages for people of an organization."""
