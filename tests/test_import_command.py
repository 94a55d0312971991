"""``simbgp import`` and ``simbgp show conditions`` as a newcomer meets them."""

import io
import json
from pathlib import Path

import pytest
from cli_runs import Done, cli
from test_scenario_services import BGP

from simbgp.scenario import load


def piped(monkeypatch: pytest.MonkeyPatch, text: str, *arguments: str) -> Done:
    """``simbgp import - ARGUMENTS`` with ``text`` piped in."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return cli("import", "-", *arguments)


def test_what_kubectl_pipes_in_becomes_a_scenario_with_the_routers_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "cluster.yaml"
    done = piped(monkeypatch, BGP, "--to", str(target))
    assert done.code == 0, done.err
    said = done.err[done.err.index("cluster: {from:") :]
    assert "  - {name: router-1, profile: frr-8.4, asn: 65000, address: '10.9.0.1'}" in said
    (tmp_path / "s.yaml").write_text(said)
    assert [peering.router for peering in load(tmp_path / "s.yaml").plan().peerings] == ["router-1", "router-1"]


def test_an_empty_list_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    done = piped(monkeypatch, json.dumps({"apiVersion": "v1", "kind": "List", "items": []}))
    assert (done.code, done.out) == (0, "apiVersion: v1\nkind: List\nitems: []\n")
    assert done.err == "simbgp: warning: there is no object in it that says anything about BGP, nodes or services\n"


def test_conditions_heed_set_and_refuse_what_they_have_no_use_for(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(BGP)
    (tmp_path / "none.yaml").write_text("")
    (tmp_path / "s.yaml").write_text("cluster: {manifests: [none.yaml]}\nrouters: [{name: tor, profile: frr-8.4}]\n")
    file = ("show", "conditions", "-f", str(tmp_path / "s.yaml"))
    assert len(cli(*file, "--set", "cluster.manifests=[all.yaml]").out.splitlines()) == 5  # a head, 3 of edge, 1 of tor
    refused = cli(*file, "--node", "n1")
    assert (refused.code, "not with --node" in refused.err) == (2, True)
