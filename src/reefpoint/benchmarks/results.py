"""What a benchmark hands back: values that a report renders and `--json` prints."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Timing:
    """Medians over the rounds, in seconds: CPU time of all threads of the process, and wall time.

    `cpu_range_s`: the quickest and the slowest round, where rounds were timed one by one.
    """

    cpu_s: float
    wall_s: float
    rounds: int
    cpu_range_s: tuple[float, float] | None = None


@dataclass(frozen=True)
class Line:
    """One candidate at one size.

    `measured_part` is how much of the work one run did: less than 1 is extrapolated, more than 1 is an average.
    """

    candidate: str
    engine: str
    timing: Timing
    measured_part: float = 1.0

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the whole work."""
        return self.timing.cpu_s / self.measured_part

    @property
    def wall_s(self) -> float:
        """Wall seconds of the whole work."""
        return self.timing.wall_s / self.measured_part


@dataclass(frozen=True)
class Table:
    """One subject at one size of book: candidates that gave the same answer, the first of them the engine's own.

    - `per`: what one run of a candidate is ("one valuation", "one tick")
    - `figures`: measured values by the key of the goal that they answer (`goals.GOALS`)
    - `facts`: what else a reader needs, by what it is
    - `absent`: engines that could not take part, with the reason
    - `listing`: where nothing is compared, heads and rows to print as they are, in place of `lines`
    """

    subject: str
    title: str
    accounts: int
    positions: int
    per: str
    lines: tuple[Line, ...]
    figures: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    listing: tuple[tuple[str, ...], ...] = ()

    def with_figures(self, figures: Mapping[str, float | None]) -> "Table":
        """This table with what was measured; a figure that could not be (None) is left out."""
        return replace(self, figures={key: value for key, value in figures.items() if value is not None})

    def ratio(self, line: Line) -> float:
        """CPU time of a candidate against the engine's own on one thread."""
        return line.cpu_s / self.lines[0].cpu_s

    def least_ratio(self, *engines: str) -> float | None:
        """The ratio of the best candidate of these engines; None when none of them took part."""
        ratios = [self.ratio(line) for line in self.lines if line.engine in engines]
        return min(ratios) if ratios else None


@dataclass(frozen=True)
class Machine:
    """Where a run took place, and what the machine can do at most, measured in the same run.

    - `read_gb_s`: reading memory on one thread; `multiply_adds_g_s`: 10^9 float32 multiply-adds a
      second, each with one load from the second-level cache
    - `load`: load average of the minute before the run
    """

    processor: str
    cores: int
    memory_gb: float
    system: str
    read_gb_s: float
    multiply_adds_g_s: float
    load: float


@dataclass(frozen=True)
class Run:
    """One run of the benchmarks: `measured_at` in UTC, `failures` by what failed. `load_after` as `Machine.load`."""

    measured_at: str
    machine: Machine
    load_after: float
    versions: Mapping[str, str]
    rounds: int
    tables: tuple[Table, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
