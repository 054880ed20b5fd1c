"""What an installation does by itself, without anybody asking: a module a job, and the scheduler that runs them."""
