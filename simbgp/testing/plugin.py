"""The pytest plugin: the fixture ``simbgp_run``, and ``*.simbgp.yaml`` files as tests of their own SLOs.

It imports nothing of simbgp before a test asks for it.
"""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simbgp.scenario import Scenario
    from simbgp.study import Result

SUFFIX = ".simbgp.yaml"
_RESULTS = pytest.StashKey[list["Result"]]()
_MARKER = "simbgp(runs=None, seed=0, jobs=1): what `simbgp_run` uses in this test unless it is told otherwise"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--simbgp-runs`` and ``--simbgp-seed`` are for scenario files, and what the fixture falls back to."""
    group = parser.getgroup("simbgp")
    group.addoption("--simbgp-runs", type=int, metavar="N", help="How often each scenario is played.")
    group.addoption("--simbgp-seed", type=int, default=0, metavar="S", help="Seed of all luck (default: 0).")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def simbgp_run(request: pytest.FixtureRequest) -> Callable[..., "Result"]:
    """Play a scenario, given as a file or a `simbgp.Scenario`, and get its `simbgp.Result`.

    ``simbgp_run(file, runs=200, seed=7, jobs=2, set={"cluster.timers.holdTimeSeconds": 9})``. A file is looked for from
    where pytest was started, then beside the test. If the test fails, its report tells the worst run.
    """
    made: list[Result] = []
    request.node.stash[_RESULTS] = made
    marker = request.node.get_closest_marker("simbgp")
    asked: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    asked.setdefault("runs", request.config.getoption("--simbgp-runs"))
    asked.setdefault("seed", request.config.getoption("--simbgp-seed"))

    def play(scenario: "str | Path | Scenario", **options: Any) -> "Result":
        import simbgp

        changes = options.pop("set", None) or {}
        found = _load(scenario, request) if isinstance(scenario, str | Path) else scenario
        result = simbgp.run(found.with_(**changes) if changes else found, **{**asked, **options})
        made.append(result)
        return result

    return play


def _load(file: str | Path, request: pytest.FixtureRequest) -> "Scenario":
    import simbgp

    beside = Path(request.path).parent / file
    return simbgp.load(beside if not Path(file).exists() and beside.exists() else file)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the worst run of what a failed test played last."""
    report = yield
    results = item.stash.get(_RESULTS, None)
    if results and report.when == "call" and report.failed and "reproduce: simbgp" not in str(report.longrepr):
        from simbgp.testing import story

        report.sections.append(("simbgp", story(results[-1])))
    return report


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """A scenario file is a test of its own bounds."""
    return ScenarioFile.from_parent(parent, path=file_path) if file_path.name.endswith(SUFFIX) else None


class ScenarioFile(pytest.File):
    """A scenario; it is played when the first of its SLOs is asked for."""

    _result: "Result | None" = None

    def collect(self) -> Iterator[pytest.Item]:
        """One test for each SLO, or one that just plays it. Raises CollectError with all that is wrong in the file."""
        from simbgp.report.bounds import asked_of
        from simbgp.scenario import ScenarioError, load

        try:
            bounds = load(self.path).plan().slo
        except ScenarioError as error:
            raise self.CollectError(str(error)) from None
        for place, slo in enumerate(bounds):
            yield SloItem.from_parent(self, name=asked_of(slo), place=place)
        if not bounds:
            yield SloItem.from_parent(self, name="plays without breaking an invariant", place=None)

    def result(self) -> "Result":
        """What it played, once for all its SLOs."""
        if self._result is None:
            import simbgp

            options, here = self.config.option, self.config.invocation_params.dir
            file = self.path.relative_to(here) if self.path.is_relative_to(here) else self.path
            self._result = simbgp.run(simbgp.load(file), options.simbgp_runs, options.simbgp_seed)
        return self._result


class SloError(Exception):
    """An SLO that is not met; its text is the whole report."""


class SloItem(pytest.Item):
    """One SLO of a scenario file: it passes if it is MET."""

    def __init__(self, *, place: int | None, **others: Any) -> None:
        super().__init__(**others)
        self._place = place
        if self.config.pluginmanager.hasplugin("xdist"):  # without it nobody knows the mark
            self.add_marker(pytest.mark.xdist_group(str(self.path)))

    def runtest(self) -> None:
        """Play the file, unless another of its SLOs has, and look at the verdict."""
        from simbgp.measure import Verdict
        from simbgp.report.bounds import slo_lines
        from simbgp.testing import story

        assert isinstance(self.parent, ScenarioFile)
        result = self.parent.result()
        if self._place is not None and result.slo[self._place].verdict is not Verdict.MET:
            import click

            line = click.unstyle(slo_lines(result.slo, result.disputes)[self._place]).strip()
            raise SloError("\n".join([line, "", story(result)]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The bound, what was found, and the worst run; no traceback."""
        return str(excinfo.value) if excinfo.errisinstance(SloError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file, and a heading of a failure."""
        return self.path, None, f"{self.path.name}: {self.name}"  # pytest reads the dots of a name alone as a class's
