"""Payment providers, each wrapped once: their SDKs, signatures and units end here."""
