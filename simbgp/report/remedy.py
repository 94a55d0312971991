"""What would help against a breach, as lines of the report."""

from simbgp.report.numbers import of_metric, plural
from simbgp.study.advice import Advice


def remedy_lines(advice: Advice | None) -> list[str]:
    """The nearest setting that passes with the line that tries it, or that none of those tried does."""
    if advice is None:
        return []
    if advice.found is None:
        return [f"  none of the {plural(len(advice.tried), 'setting')} tried passes: {'; '.join(advice.tried)}"]
    found = advice.found
    value = of_metric(advice.slo.metric, found.value)
    return [
        f"  nearest setting that passes: {found.label} -> {advice.slo.stat} {value} in {plural(found.runs, 'run')}",
        f"    {found.reproduce}",
    ]
