"""What is measured of a target: each measure is one short run that returns its figures by name."""

import gc
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load import Seen, all_at_once, closed_loop, fixed_clock
from benchmarks.servers import Bench, Measured

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of the table of goals."""

    name: str
    take: Callable[[Bench, Measured, float], Figures]
    """Gets the seconds that a run may take, about."""


def _noted(place: Bench, measured: Measured, seen: Seen) -> Seen:
    """Count the answers for the comparison with the books; a failure would make every figure a lie."""
    if seen.failure_count:
        print(f"  {measured.name}: {seen.failure_count} of {seen.failure_count + seen.answer_count} failed")
    place.answered[measured.name] = place.answered.get(measured.name, 0) + seen.answer_count
    return seen


def many_connections(place: Bench, measured: Measured, seconds: float) -> Figures:
    """P1: 64 connections that are always busy."""
    before = measured.processor_seconds()
    request = measured.target.request("bench-d0-c10-p0")
    seen = _noted(place, measured, closed_loop(measured.target, request, connections=64, seconds=seconds))
    spent = measured.processor_seconds() - before
    return {
        "requests/s": seen.answer_count / seen.seconds,
        "processor s per 1 000": 1000 * spent / max(1, seen.answer_count),
        "p50 ms": seen.percentile_ms(0.5),
        "p99 ms": seen.percentile_ms(0.99),
    }


def one_connection(place: Bench, measured: Measured, seconds: float) -> Figures:
    """P2: one connection that is always busy."""
    request = measured.target.request("bench-d0-c10-p0")
    seen = _noted(place, measured, closed_loop(measured.target, request, connections=1, seconds=seconds))
    return {"p50 ms": seen.percentile_ms(0.5), "p99 ms": seen.percentile_ms(0.99)}


def streams(place: Bench, measured: Measured, seconds: float) -> Figures:
    """P3: 100 streams open at any time: 160 begin in a second, on a fixed clock, of 30 events that are 20 ms apart."""
    request = measured.target.request("bench-d0-c30-p20", is_streaming=True)
    seen = _noted(place, measured, fixed_clock(measured.target, request, per_second=160, seconds=seconds))
    return {
        "first event p50 ms": seen.percentile_ms(0.5, of=seen.first_events),
        "first event p99 ms": seen.percentile_ms(0.99, of=seen.first_events),
    }


def fast_streams(place: Bench, measured: Measured, seconds: float) -> Figures:
    """P4: 16 streams of 400 events without a pause."""
    request = measured.target.request("bench-d0-c400-p0", is_streaming=True)
    seen = _noted(place, measured, closed_loop(measured.target, request, connections=16, seconds=seconds))
    return {"events/s": seen.event_count / seen.seconds}


def steady(place: Bench, measured: Measured, seconds: float) -> Figures:
    """P5: 300 a second on a fixed clock, on an upstream that takes 50 ms."""
    request = measured.target.request("bench-d50-c10-p0")
    seen = _noted(place, measured, fixed_clock(measured.target, request, per_second=300, seconds=seconds))
    return {"p50 ms": seen.percentile_ms(0.5), "p99 ms": seen.percentile_ms(0.99)}


def at_once(place: Bench, measured: Measured, _seconds: float) -> Figures:
    """P8: 1 500 at the same moment, on an upstream that takes 0.5 s."""
    request = measured.target.request("bench-d500-c10-p0")
    seen = _noted(place, measured, all_at_once(measured.target, request, count=1_500))
    return {"all answered, s": seen.seconds, "answered": float(seen.answer_count)}


def open_streams(place: Bench, measured: Measured, _seconds: float) -> Figures:
    """P6: what the process holds when idle, and at most while 1 000 streams are open."""
    idle = measured.memory_mib()
    request = measured.target.request("bench-d500-c30-p20", is_streaming=True)
    held: list[float] = []
    seen = all_at_once(measured.target, request, count=1_000, look=lambda: held.append(measured.memory_mib()))
    _noted(place, measured, seen)
    return {"MiB before": idle, "MiB with 1 000 streams": max(held, default=idle)}


MEASURES = (
    Measure("P1 64 connections", many_connections),
    Measure("P2 one connection", one_connection),
    Measure("P3 100 streams", streams),
    Measure("P4 fast streams", fast_streams),
    Measure("P5 300/s on a fixed clock", steady),
    Measure("P8 1 500 at once", at_once),
    Measure("P6 memory", open_streams),
)


def take_rounds(
    place: Bench, targets: list[Measured], measures: tuple[Measure, ...], *, rounds: int, seconds: float
) -> dict[str, dict[str, list[Figures]]]:
    """Take every measure of every target, round by round, so that what else the machine does meets all alike."""
    taken: dict[str, dict[str, list[Figures]]] = {measure.name: {} for measure in measures}
    for measured in targets:  # a key's first use looks it up, and first connections are made: not what is measured
        many_connections(place, measured, 1.0)
    gc.disable()
    for number in range(rounds):
        for measure in measures:
            turn = number % len(targets)
            for measured in targets[turn:] + targets[:turn]:
                figures = measure.take(place, measured, seconds)
                taken[measure.name].setdefault(measured.name, []).append(figures)
            gc.collect()
        print(f"round {number + 1} of {rounds} done", flush=True)
    gc.enable()
    return taken
