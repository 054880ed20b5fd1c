"""People, their passwords, and the sessions they are signed in with."""
