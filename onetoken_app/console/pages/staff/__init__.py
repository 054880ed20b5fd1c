"""Pages for the operator's people."""
