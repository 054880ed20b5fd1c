"""What every test gets: guards over the run, and the fixtures of ``tests/support``."""

from tests.support.network_guard import close_the_outside

pytest_plugins = ["tests.support.honest_run", "tests.support.databases"]

close_the_outside()
