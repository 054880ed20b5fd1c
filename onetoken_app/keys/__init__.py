"""API keys: minted, hashed, verified, restricted, revoked."""
