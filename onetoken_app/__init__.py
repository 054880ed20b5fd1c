"""OneToken: an API relay for organizations. ARCHITECTURE.md has the map."""
