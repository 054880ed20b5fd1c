"""Counters and histograms of one process, written as Prometheus reads them.

Labels are ids, names of the catalog and closed words. However many values a label takes, a family keeps ``SERIES_MAX``
series; what is beyond counts under ``other``.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

SERIES_MAX = 2_000
OTHER = "other"
SECONDS_BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
"""From a cached answer to the longest call that the settings allow by default."""

Labels = tuple[str, ...]


class Counter:
    """A family of numbers that only grow."""

    __slots__ = ("_label_names", "_series", "help_text", "name")
    kind = "counter"

    def __init__(self, name: str, help_text: str, label_names: Sequence[str]) -> None:
        """Begin with no series."""
        self.name, self.help_text = name, help_text
        self._label_names = tuple(label_names)
        self._series: dict[Labels, int] = {}

    def add(self, *labels: str, count: int = 1) -> None:
        """Count something of these labels, in the order of their names."""
        key = _kept(self._series, labels)
        self._series[key] = self._series.get(key, 0) + count

    def lines(self) -> Iterator[str]:
        """Write every series."""
        for labels, value in sorted(self._series.items()):
            yield f"{self.name}{_written(self._label_names, labels)} {value}"


class Histogram:
    """A family of durations, in buckets of ``SECONDS_BOUNDS``."""

    __slots__ = ("_label_names", "_series", "help_text", "name")
    kind = "histogram"

    def __init__(self, name: str, help_text: str, label_names: Sequence[str]) -> None:
        """Begin with no series."""
        self.name, self.help_text = name, help_text
        self._label_names = tuple(label_names)
        self._series: dict[Labels, tuple[list[int], list[float]]] = {}

    def observe(self, *labels: str, seconds: float) -> None:
        """Count a duration."""
        key = _kept(self._series, labels)
        if key not in self._series:
            self._series[key] = ([0] * (len(SECONDS_BOUNDS) + 1), [0.0])
        buckets, sums = self._series[key]
        buckets[bisect_left(SECONDS_BOUNDS, seconds)] += 1
        sums[0] += seconds

    def lines(self) -> Iterator[str]:
        """Write every series: buckets add up, the last one is all."""
        names = (*self._label_names, "le")
        for labels, (buckets, (total_seconds,)) in sorted(self._series.items()):
            count = 0
            for bound, in_bucket in zip((*map(str, SECONDS_BOUNDS), "+Inf"), buckets, strict=True):
                count += in_bucket
                yield f"{self.name}_bucket{_written(names, (*labels, bound))} {count}"
            yield f"{self.name}_sum{_written(self._label_names, labels)} {total_seconds:.6f}"
            yield f"{self.name}_count{_written(self._label_names, labels)} {count}"


class Gauge:
    """A family of numbers as they are now, taken when somebody asks."""

    __slots__ = ("_label_names", "_values", "help_text", "name")
    kind = "gauge"

    def __init__(
        self, name: str, help_text: str, label_names: Sequence[str], values: Sequence[tuple[Labels, float]]
    ) -> None:
        """Take the values."""
        self.name, self.help_text = name, help_text
        self._label_names = tuple(label_names)
        self._values = values

    def lines(self) -> Iterator[str]:
        """Write every value."""
        for labels, value in self._values[:SERIES_MAX]:
            yield f"{self.name}{_written(self._label_names, labels)} {value:g}"


Family = Counter | Histogram | Gauge


def exposition(families: Sequence[Family]) -> bytes:
    """Write families in Prometheus's text format."""
    lines: list[str] = []
    for family in families:
        lines += [f"# HELP {family.name} {family.help_text}", f"# TYPE {family.name} {family.kind}", *family.lines()]
    return ("\n".join(lines) + "\n").encode()


def _kept(series: Mapping[Labels, object], labels: Labels) -> Labels:
    """Return the labels to count under."""
    return labels if labels in series or len(series) < SERIES_MAX else (OTHER,) * len(labels)


def _written(names: Labels, values: Labels) -> str:
    """Write labels; a name of the catalog has no character that would need more than this."""
    if not names:
        return ""
    pairs = (
        f'{name}="{value.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"'
        for name, value in zip(names, values, strict=True)
    )
    return "{" + ",".join(pairs) + "}"
