"""Turns the figures of a run into medians, ratios within the run, and a table to read or to keep."""

import json
import statistics
import time
from pathlib import Path

from benchmarks.measures import Figures

Taken = dict[str, dict[str, list[Figures]]]
Medians = dict[str, dict[str, Figures]]
"""By measure and target."""


def medians(taken: Taken) -> Medians:
    """Return the median of each figure over the rounds."""
    return {
        measure: {
            target: {name: statistics.median(figures[name] for figures in rounds) for name in rounds[0]}
            for target, rounds in by_target.items()
        }
        for measure, by_target in taken.items()
    }


def print_table(found: Medians) -> None:
    """Print every median."""
    for measure, by_target in found.items():
        print(f"\n{measure}")
        for target, figures in by_target.items():
            line = "   ".join(f"{name} {_number(value)}" for name, value in figures.items())
            print(f"  {target:16} {line}")


def keep(taken: Taken, *, name: str) -> Path:
    """Write every figure of every round to a file under ``var/bench``."""
    folder = Path("var/bench")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{time.strftime('%Y-%m-%dT%H%M%S')}.json"
    file.write_text(json.dumps(taken, indent=1))
    return file


def print_goals(found: Medians, *, relay: str = "OneToken") -> None:
    """Print our figures beside the goals; a missed goal is shown as one."""
    rows = [
        _row("P1", "of nginx's requests/s", _share(found, "P1 64 connections", "requests/s", relay), at_least=0.20),
        _row("P2", "p50 added, ms", _added(found, "P2 one connection", "p50 ms", relay), at_most=1.2),
        _row(
            "P3", "first event p50 added, ms", _added(found, "P3 100 streams", "first event p50 ms", relay), at_most=1.5
        ),
        _row(
            "P3", "first event p99 added, ms", _added(found, "P3 100 streams", "first event p99 ms", relay), at_most=4
        ),
        _row("P4", "of nginx's events/s", _share(found, "P4 fast streams", "events/s", relay), at_least=0.75),
        _row("P5", "p99 added, ms", _added(found, "P5 300/s on a fixed clock", "p99 ms", relay), at_most=5),
        _row("P6", "MiB before", _own(found, "P6 memory", "MiB before", relay), at_most=120),
        _row("P6", "MiB with 1 000 streams", _own(found, "P6 memory", "MiB with 1 000 streams", relay), at_most=250),
        _row("P8", "1 500 answered, s", _own(found, "P8 1 500 at once", "all answered, s", relay), at_most=2.5),
    ]
    print("\nGoals")
    print("\n".join(row for row in rows if row))


def _row(goal: str, what: str, value: float | None, *, at_least: float = 0.0, at_most: float = float("inf")) -> str:
    """Write one goal's line; empty when it was not measured."""
    if value is None:
        return ""
    bound = f"≥ {at_least:g}" if at_least else f"≤ {at_most:g}"
    return f"  {goal}  {what:28} {value:8.3f}   goal {bound:8} {'met' if at_least <= value <= at_most else 'MISSED'}"


def _own(found: Medians, measure: str, name: str, relay: str) -> float | None:
    """Return a figure of ours as it is."""
    return found.get(measure, {}).get(relay, {}).get(name)


def _share(found: Medians, measure: str, name: str, relay: str) -> float | None:
    """Return a figure of ours as a share of nginx's."""
    own, theirs = _own(found, measure, name, relay), _own(found, measure, name, "nginx")
    return own / theirs if own and theirs else None


def _added(found: Medians, measure: str, name: str, relay: str) -> float | None:
    """Return what a figure of ours is above that of the upstream alone."""
    own, floor = _own(found, measure, name, relay), _own(found, measure, name, "upstream alone")
    return own - floor if own is not None and floor is not None else None


def _number(value: float) -> str:
    """Write a figure with as many digits as mean something."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
