"""The catalog: models we sell, channels that serve them, and the routes that join the two."""
