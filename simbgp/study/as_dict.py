"""A result as the JSON object that ``--format json`` prints, times in seconds to the sixth decimal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simbgp._version import __version__
from simbgp.measure import SloResult
from simbgp.study.rows import COLUMNS, Row

if TYPE_CHECKING:
    from simbgp.study.result import Result


def as_dict(result: "Result", tables: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """The object; ``tables`` are those that were made."""
    rolls_out = any(fault.kind == "agent-upgrade" for fault in result.plan.faults)
    return {
        "simbgp": __version__,
        "scenario": result.scenario.name,
        "seed": str(result.seed),
        "runs": result.runs,
        "exact": result.exact,
        "verdict": str(result.verdict),
        "reproduce": result.reproduce,
        "profiles": [
            {"name": profile.name, "title": profile.title, "calibrated": profile.calibrated}
            for profile in result.profiles
        ],
        "assumptions": list(result.assumptions),
        "warnings": list(result.warnings),
        "rows_left_out": result.rows_left_out,
        "slo": [_slo(*found) for found in zip(result.slo, result.disputes, strict=True)],
    } | {
        table: [dict(zip(columns, row, strict=True)) for row in tables.get(table, ())]
        for table, columns in COLUMNS.items()
        if {"progress": rolls_out, "patches": result.plan.counts_patches}.get(table, True)
    }


def _slo(found: SloResult, disputed: str | None) -> dict[str, Any]:
    """The row of one SLO; a ``min`` bound, what narrows it and why it is not settled are there if it has them."""
    slo, of = found.slo, found.estimate
    optional = {
        "min": slo.min_value,
        "service": slo.service,
        "router": slo.router,
        "fault": slo.fault,
        "prefix": slo.prefix,
        "min_share": slo.min_share or None,
        "runs_needed": found.runs_needed,
        "disputed": disputed,
    }
    return {
        "metric": slo.metric,
        "stat": slo.stat,
        "max": slo.max_value,
        "value": None if of is None else round(of.value, 6),
        "low": _rounded(None if of is None else of.low),
        "high": _rounded(None if of is None else of.high),
        "confidence": None if of is None else of.confidence,
        "verdict": str(found.verdict),
    } | {key: value for key, value in optional.items() if value is not None}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
