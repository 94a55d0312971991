"""A value with its source: no profile line stands without one."""

from dataclasses import dataclass
from typing import Literal, get_args

Confidence = Literal["measured", "source", "documented", "derived", "assumed", "unknown"]
CONFIDENCES: tuple[str, ...] = get_args(Confidence)


@dataclass(frozen=True, slots=True)
class Cited:
    """One line of a profile: the value as written, where it comes from and how sure it is."""

    value: object
    source: str
    confidence: Confidence
