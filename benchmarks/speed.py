"""Measures the relay beside nginx and the bare upstream, in one run: medians of interleaved rounds, and ratios.

``python -m benchmarks.speed [--rounds 3] [--seconds 3] [--only P1,P2] [--folder DIR]``. Ours is ``onetoken relay`` with
every setting at its default: one process and its writer, each call with its hold and its close durable on the disk of
the folder. Afterwards the books are verified, and have to hold exactly the answers that the callers saw.
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measures import MEASURES, take_rounds
from benchmarks.servers import bench, check_books, nginx, ours
from benchmarks.table import keep, medians, print_goals, print_table


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a run of one measure takes, about")
    parser.add_argument("--only", default="", help="measures by their first words, such as P1,P4")
    parser.add_argument("--folder", type=Path, default=None, help="a folder on the disk that commits go to")
    arguments = parser.parse_args()
    wanted = tuple(filter(None, arguments.only.split(",")))
    measures = tuple(m for m in MEASURES if not wanted or m.name.split()[0] in wanted)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.folder) as folder, ExitStack() as stack:
        place = stack.enter_context(bench(Path(folder)))
        relay = stack.enter_context(ours(place))
        targets = [stack.enter_context(nginx(place)), relay, place.upstream]
        taken = take_rounds(place, targets, measures, rounds=arguments.rounds, seconds=arguments.seconds)
        settled = check_books(place, relay)
    found = medians(taken)
    print_table(found)
    print_goals(found)
    print(f"\nThe books verify: {settled:,} calls settled, as many as the callers saw answered.")
    print(f"Every figure: {keep(taken, name='speed')}")


if __name__ == "__main__":
    main()
