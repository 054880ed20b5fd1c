"""The data plane: callers' requests in, providers' answers out, each call charged once and nothing of it kept."""
