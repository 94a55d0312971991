"""What each router and each speaker does, release by release: data files with a source for every line."""

from simbgp.profiles.cited import Cited
from simbgp.profiles.law import Law, format_duration, parse_duration
from simbgp.profiles.loader import UnknownProfileError, newest_speaker, router, router_names, speaker, speaker_names
from simbgp.profiles.router import KeepsStale, RouterProfile
from simbgp.profiles.speaker import SpeakerProfile

__all__ = [
    "Cited",
    "KeepsStale",
    "Law",
    "RouterProfile",
    "SpeakerProfile",
    "UnknownProfileError",
    "format_duration",
    "newest_speaker",
    "parse_duration",
    "router",
    "router_names",
    "speaker",
    "speaker_names",
]
