"""What every object of the API has, metadata, and how others select it by its labels.

Source: Kubernetes apimachinery ``meta/v1``.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from simbgp.scenario.printable import OnlyPrintable
from simbgp.scenario.schema.base import Many, Part, Text, read_address

IpAddress = Annotated[str, AfterValidator(read_address)]


class Lenient(BaseModel):
    """A mapping of which only some keys are read."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, alias_generator=to_camel, defer_build=True)


def _path_segment(name: str) -> str:
    """The API server's rule for every object (apimachinery ``validate/path``): its name is a part of an address."""
    if name in (".", "..") or "/" in name or "%" in name:
        raise ValueError(f"{name!r} is no name of an object; allowed: no '/', no '%', not '.' or '..'")
    return name


class Metadata(Lenient):
    """``metadata``."""

    name: Annotated[Text, AfterValidator(_path_segment)]
    namespace: Annotated[str, OnlyPrintable] | None = None
    creation_timestamp: str | None = None
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None


class Object(Lenient):
    """Any object of the API."""

    metadata: Metadata


class Requirement(Part):
    """One of ``matchExpressions``."""

    key: Text
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: Many[str] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object of these labels fulfils it; NotIn does not ask for the key."""
        if self.operator in ("Exists", "DoesNotExist"):
            return (self.key in labels) == (self.operator == "Exists")
        listed = self.key in labels and labels[self.key] in (self.values or ())
        return listed == (self.operator == "In")


def _label_value(text: str) -> str:
    """A value of a label, as Kubernetes and the CRDs limit it."""
    if len(text) > 63 or not re.fullmatch(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", text):
        raise ValueError(f"{text!r} is no value of a label; allowed: up to 63 of A-Z, a-z, 0-9, -, _ and .")
    return text


class LabelSelector(Part):
    """``metav1.LabelSelector``: all parts must match; an empty one matches everything."""

    match_labels: Mapping[str, Annotated[str, AfterValidator(_label_value)]] | None = None
    match_expressions: Many[Requirement] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object of these labels is selected."""
        wanted = (self.match_labels or {}).items() <= labels.items()
        return wanted and all(requirement.matches(labels) for requirement in self.match_expressions)
