"""A process of its own that holds the write lock until its standard input closes."""

import sys
from pathlib import Path

from onetoken_app.database import write_lock

if __name__ == "__main__":
    with write_lock(Path(sys.argv[1])):
        sys.stdout.write("locked\n")
        sys.stdout.flush()
        sys.stdin.read()
