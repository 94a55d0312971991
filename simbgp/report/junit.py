"""Results as JUnit XML: a suite for each scenario, a test case for each SLO."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree as Xml

import click

from simbgp.measure import Verdict
from simbgp.report.bounds import asked_of, slo_lines
from simbgp.report.text import story_lines
from simbgp.study.result import Result

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 §2.2 has no way to write."""


def junit(results: Iterable[Result]) -> str:
    """The file's text, the same bytes for the same results: it names no time and no host.

    A case fails unless its SLO is MET; its message is the line of the report, its text the worst run and the command
    that shows it again. A scenario without SLOs is one case that passes: it was played.
    """
    suites = Xml.Element("testsuites", name="simbgp")
    for result in results:
        suites.append(_suite(result))
    for count in ("tests", "failures", "errors"):
        suites.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    Xml.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suites, encoding="unicode") + "\n"


def _suite(result: Result) -> Xml.Element:
    suite = Xml.Element("testsuite", name=_clean(result.scenario.name))
    lines = [click.unstyle(line).strip() for line in slo_lines(result.slo, result.disputes)]
    for found, line in zip(result.slo, lines, strict=True):
        case = _case(suite, result, asked_of(found.slo))
        if found.verdict is not Verdict.MET:
            failure = Xml.SubElement(case, "failure", type=str(found.verdict), message=_clean(line))
            failure.text = _clean(_story(result))
    if not result.slo:
        _case(suite, result, "plays without breaking an invariant")
    failed = sum(found.verdict is not Verdict.MET for found in result.slo)
    for count, number in (("tests", len(suite)), ("failures", failed), ("errors", 0), ("skipped", 0)):
        suite.set(count, str(number))
    return suite


def _case(suite: Xml.Element, result: Result, name: str) -> Xml.Element:
    return Xml.SubElement(
        suite,
        "testcase",
        classname=_clean(result.scenario.name),
        name=_clean(name),
        file=_clean(result.scenario.file),
        time="0",
    )


def _story(result: Result) -> str:
    return click.unstyle("\n".join([*story_lines(result), "", f"  reproduce: {result.reproduce}"]))


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
