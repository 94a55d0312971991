"""The page of a result: one file, in order, escaped, without a request to anybody."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from cli_runs import cli
from study_worlds import TEXT, scenario

import simbgp
from simbgp.measure import ClosedForm
from simbgp.report.page import page
from simbgp.scenario import loads

EVIL = "</script><script>alert(1)</script><b>$x$"


class Reader(HTMLParser):
    """Tags with their attributes in order, and the text in each kind of tag."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self._open = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_data(self, data):
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def result():
    slo = [{"metric": "blackhole_s", "stat": "max", "max": "100s"}]
    return simbgp.run(scenario(slo=slo), runs=3, seed=1)


@pytest.fixture(scope="module")
def text(result):
    return page(result)


def test_the_order_is_verdict_timeline_replay_assumptions_limits_reproduce(text):
    headings = re.findall(r"<h2 id=\"([a-z-]+)\"", text)
    assert headings == ["verdict", "timeline", "replay-title", "figures", "assumptions", "not-modelled", "reproduce"]
    assert text.index("Windows: when traffic is lost") < text.index('id="timeline"')


def test_it_says_what_the_result_says(result, text):
    said = unescape(text)
    assert '<span class="verdict BREACHED">BREACHED</span>' in said
    assert f"<pre><code>{result.reproduce}</code></pre>" in said
    for sentence in result.assumptions:
        assert f'<td class="wide">{sentence}</td>' in said
    for profile in result.profiles:
        for line in profile.citations.values():
            assert f'<td>{line.confidence}</td><td class="wide">{line.source}</td>' in said
    assert "<em>Round-trip time</em>" in text  # docs/not-modelled.md
    assert "Status patches do not slow" in text
    assert "Log lines at the level debug" not in text  # of what show prints, no part of a run


def test_runs_that_disagree_with_the_closed_form_stand_out(result, text, monkeypatch):
    assert 'class="alert"' not in text
    monkeypatch.setattr(ClosedForm, "agrees", lambda form, values: False)
    said = page(result)
    alerts = re.findall(r'<p class="alert"><strong>(.*?): the runs disagree with the closed form', said)
    assert alerts == [form.label for form in result.closed_forms]
    assert alerts
    assert said.index('class="alert"') < said.index("<table>")


def test_it_asks_nobody_for_anything(text):
    reader = Reader(text)
    assert not any("src" in attributes for _, attributes in reader.tags)
    links = [attributes["href"] for _, attributes in reader.tags if "href" in attributes]
    assert [link for link in links if not link.startswith(("#", "data:"))] == []
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []
    (policy,) = (each["content"] for each in reader.of("meta") if each.get("http-equiv"))
    assert policy.startswith("default-src 'none'")


def test_ids_are_given_once_and_labels_lead_somewhere(text):
    reader = Reader(text)
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in reader.tags:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert attributes.get(name, ids[0]) in ids


def test_every_table_has_a_caption_and_heads(text):
    reader = Reader(text)
    assert len(reader.of("table")) == len(reader.of("caption")) > 4
    assert all(attributes.get("scope") in ("col", "row") for attributes in reader.of("th"))


def test_markup_in_names_stays_text():
    evil = TEXT.replace("name: world", f'name: "{EVIL}"').replace("Four nodes", f"{EVIL} & nodes")
    text = page(simbgp.run(loads(evil), runs=1))
    reader = Reader(text)
    assert [attributes.get("type") for attributes in reader.of("script")] == ["application/json", None]
    assert reader.of("b") == []
    assert EVIL in "".join(reader.texts["h1"])
    assert EVIL in "".join(reader.texts["figcaption"])


def test_the_same_result_is_the_same_page(result, text):
    assert page(result) == text


def test_a_rollout_is_drawn_step_by_step():
    fault = {"at": "60s", "kind": "agent-upgrade", "to": "1.20", "maxUnavailable": 1, "imagePull": "10s"}
    text = page(simbgp.run(scenario(TEXT.replace('"1.20"', '"1.19"'), faults=[fault]), runs=2))
    assert "<figcaption>world: never fewer than 4 of 4 next hops while 4 nodes are upgraded</figcaption>" in text


def test_a_scenario_without_services_and_faults_has_a_page():
    text = page(simbgp.run(loads("cluster: {nodes: 2}\nrouters: [{name: tor-1, profile: rfc8538}]\n"), runs=1))
    assert "nothing is lost in any run" in text
    assert "The scenario has no bounds" in text


def test_nodes_that_announce_nothing_have_no_timeline():
    quiet = "cluster: {nodes: 2, advertise: []}\nrouters: [{name: tor-1, profile: rfc8538}]\n"
    text = page(simbgp.run(loads(quiet), runs=1))
    assert "No node announces anything, and so there is no timeline." in text


# the command


def test_run_writes_the_page_beside_its_report(tmp_path):
    target = tmp_path / "r.html"
    done = cli("run", "scenarios/agent-crash-gr.yaml", "--runs", "2", "--report", str(target))
    assert done.code in (0, 4), done.err
    assert "VERDICT" in done.out
    assert f"simbgp: the page is in {target}" in done.err
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert target.stat().st_size < 3_000_000


def test_the_page_does_not_depend_on_the_form_of_the_output(tmp_path):
    one, other = tmp_path / "text.html", tmp_path / "json.html"
    arguments = ["run", "scenarios/agent-crash-gr.yaml", "--runs", "2", "--quiet"]
    cli(*arguments, "--report", str(one))
    done = cli(*arguments, "--format", "json", "--report", str(other))
    assert done.out.startswith("{")
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scenarios/node-down-gr.yaml", "--report", "r.html"], "--report takes one FILE: each scenario has a page"),
        (["--report", "r.pdf"], "'r.pdf': a page is a file named .html"),
        (["--report", "no/such/r.html"], "there is no folder 'no/such'"),
        (["--report", "r.html", "--format", "json", "--rows", "none"], "--report needs all rows"),
    ],
)
def test_what_would_fail_after_the_run_is_said_before(arguments, message):
    done = cli("run", "scenarios/node-down.yaml", *arguments)
    assert done.code == 2
    assert message in done.err
    assert done.out == ""


# in a notebook
