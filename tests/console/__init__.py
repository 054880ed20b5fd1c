"""The console's rules, without a browser."""
