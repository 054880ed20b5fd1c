"""What upstreams bill, beside what their attempts cost by our own figures."""
