"""What is known of routers and speakers, with the source of every value."""

from collections.abc import Mapping
from typing import Any

from simbgp.profiles import RouterProfile, SpeakerProfile, Switch, router, router_names, speaker, speaker_names
from simbgp.report.numbers import columns

Profile = RouterProfile | SpeakerProfile


def find(name: str) -> list[Profile]:
    """The router and the speaker of that name: none, one, or both (GoBGP 3.10 is either)."""
    found: list[Profile] = [router(name)] if name in router_names() else []
    return [*found, speaker(name)] if name in speaker_names() else found


def catalogue() -> list[dict[str, Any]]:
    """Every profile: kind, name, title, and what it is calibrated on (None: nothing)."""
    found: list[tuple[str, Profile]] = [("router", router(name)) for name in router_names()]
    found += [("speaker", speaker(name)) for name in speaker_names()]
    return [{"kind": k, "name": p.name, "title": p.title, "calibrated": p.calibrated} for k, p in found]


def catalogue_lines() -> list[str]:
    """`catalogue` as a table."""
    rows = [("KIND", "NAME", "TITLE", "CALIBRATED ON")]
    rows += [(e["kind"], e["name"], e["title"], e["calibrated"] or "uncalibrated") for e in catalogue()]
    return columns(rows, indent="")


def sheet(profile: Profile) -> dict[str, Any]:
    """One profile with each value as written, its confidence and its source."""
    values = {
        name: {"value": line.value, "confidence": line.confidence, "source": line.source}
        for name, line in profile.citations.items()
    }
    return {
        "name": profile.name,
        "title": profile.title,
        "calibrated": profile.calibrated,
        "unknowns": list(profile.unknowns),
        "switches": [
            {
                "name": switch.name,
                "alternatives": [{"label": a.label, "values": dict(a.values)} for a in switch.alternatives],
                "ask": switch.ask,
                "source": switch.source,
                "faults": list(switch.faults),
                "needs_restart": switch.needs_restart,
                "needs_long_lived": switch.needs_long_lived,
                "resilient": switch.resilient,
            }
            for switch in profile.switches
        ],
        "values": values,
    }


def sheet_rows(profile: Profile) -> list[tuple[str, ...]]:
    """Every value with its confidence and its source, under a head."""
    rows: list[tuple[str, ...]] = [("value", "is", "confidence", "source")]
    rows += [(name, _shown(line.value), line.confidence, line.source) for name, line in profile.citations.items()]
    return rows


def sheet_lines(profile: Profile) -> list[str]:
    """`sheet` as a table."""
    head = [f"{profile.name}: {profile.title}", f"calibrated on: {profile.calibrated or 'nothing, uncalibrated'}"]
    rows = [tuple(cell.upper() for cell in sheet_rows(profile)[0]), *sheet_rows(profile)[1:]]
    head += [f"unknown: {text}" for text in profile.unknowns]
    head += [line for switch in profile.switches for line in _switch_lines(switch)]
    return [*head, "", *columns(rows, indent="")]


def _switch_lines(switch: Switch) -> list[str]:
    taken, *others = (alternative.label for alternative in switch.alternatives)
    played = f"where a fault is {' or '.join(switch.faults)}" if switch.faults else "every way"
    if switch.needs_long_lived:
        played = "every way where a speaker offers RFC 9494"
    played = "where next-hop groups are resilient" if switch.resilient else played
    return [
        f"switch: {switch.name}: {taken} (taken) or {' or '.join(others)}; played {played}",
        f"  find out: {switch.ask}",
    ]


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    if isinstance(value, list):
        return (
            f"[{', '.join(map(_shown, value))}]"
            if len(value) <= 6
            else f"{len(value)} values, {min(value)}-{max(value)}"
        )
    return str(value).lower() if isinstance(value, bool) else str(value)
