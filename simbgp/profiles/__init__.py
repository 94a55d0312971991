"""What each router and each speaker does, release by release: data files with a source for every line."""

from simbgp.profiles.cited import Cited
from simbgp.profiles.law import Law, format_duration, parse_duration
from simbgp.profiles.loader import (
    UnknownProfileError,
    alternatives,
    newest_speaker,
    router,
    router_names,
    settled,
    speaker,
    speaker_names,
    switched,
)
from simbgp.profiles.router import KeepsStale, RouterProfile
from simbgp.profiles.speaker import SpeakerProfile
from simbgp.profiles.switch import Alternative, Switch

__all__ = [
    "Alternative",
    "Cited",
    "KeepsStale",
    "Law",
    "RouterProfile",
    "SpeakerProfile",
    "Switch",
    "UnknownProfileError",
    "alternatives",
    "format_duration",
    "newest_speaker",
    "parse_duration",
    "router",
    "router_names",
    "settled",
    "speaker",
    "speaker_names",
    "switched",
]
