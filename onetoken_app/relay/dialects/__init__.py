"""APIs that callers speak, one module each: requests in, replies and errors out."""
