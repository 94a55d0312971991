"""Conditions as Cilium's operator words them (operator/pkg/bgp/cluster.go, operator/pkg/lbipam/lbipam.go)."""

import json
from pathlib import Path

import pytest
from cli_runs import cli
from test_scenario_services import BGP, PENDING, PODS, advert, pool

TRUE_OF_NODES = "No node matches spec.nodeSelector"


def told(folder: Path, *documents: str) -> dict[tuple[str, str], tuple[str, str, str]]:
    (folder / "all.yaml").write_text("---\n".join(documents))
    (folder / "s.yaml").write_text("cluster: {manifests: [all.yaml]}\nrouters: [{name: tor, profile: frr-8.4}]\n")
    done = cli("show", "conditions", "-f", str(folder / "s.yaml"), "-o", "json")
    assert done.code == 0, done.err
    return {
        (c["name"], c["type"].removeprefix("cilium.io/")): (c["status"], c["reason"], c["message"])
        for c in json.loads(done.out)
    }


def test_a_sound_cluster_config_has_all_its_conditions_and_they_are_false(tmp_path: Path) -> None:
    assert told(tmp_path, BGP) == {
        ("edge", "ConflictingClusterConfig"): ("False", "ConflictingClusterConfigs", ""),
        ("edge", "MissingPeerConfigs"): ("False", "MissingPeerConfigs", ""),
        ("edge", "NoMatchingNode"): ("False", "NoMatchingNode", TRUE_OF_NODES),  # the message stays, as in the code
        ("tor", "MissingAuthSecret"): ("False", "MissingAuthSecret", ""),
    }


def test_what_keeps_a_scenario_from_running_is_shown_as_conditions(tmp_path: Path) -> None:
    first = BGP.replace("peerConfigRef: {name: tor}", "peerConfigRef: {name: spine}")
    second = BGP[: BGP.index("---")].replace("name: edge", "name: core")
    found = told(tmp_path, first, second)
    lost = "Referenced CiliumBGPPeerConfig(s) are missing: [spine]"
    assert found["edge", "MissingPeerConfigs"] == ("True", "MissingPeerConfigs", lost)
    rival = "Selecting the same node(s) with ClusterConfig(s): [edge]"
    assert found["core", "ConflictingClusterConfig"] == ("True", "ConflictingClusterConfigs", rival)


def test_a_selector_that_matches_no_node_is_a_condition(tmp_path: Path) -> None:
    nobody = BGP.replace("spec:\n  bgp", "spec:\n  nodeSelector: {matchLabels: {a: b}}\n  bgp", 1)
    assert told(tmp_path, nobody)["edge", "NoMatchingNode"] == ("True", "NoMatchingNode", TRUE_OF_NODES)


def test_a_pool_counts_its_addresses_in_messages(tmp_path: Path) -> None:
    # 20.0.0.0/30 has 4; first and last are reserved, which counts as used; one more goes to shop/web
    found = told(
        tmp_path, BGP, PENDING, PODS, advert(), pool(spec="blocks: [{cidr: 20.0.0.0/30}], allowFirstLastIPs: 'No'")
    )
    numbers = {kind: found["p", kind] for kind in ("IPsTotal", "IPsUsed", "IPsAvailable")}
    assert numbers == {kind: ("Unknown", "noreason", n) for kind, n in zip(numbers, ("4", "3", "1"), strict=True)}
    assert found["p", "PoolConflict"] == ("False", "resolved", "")
    assert found["shop/web", "IPAMRequestSatisfied"] == ("True", "satisfied", "")


def test_the_later_of_two_overlapping_pools_is_in_conflict_and_gives_nothing(tmp_path: Path) -> None:
    found = told(tmp_path, BGP, pool(), pool("q", "blocks: [{cidr: 20.0.0.2/31}]"))
    why = "Pool conflicts since range '20.0.0.2 - 20.0.0.3' overlaps range '20.0.0.0 - 20.0.0.3' from IP Pool 'p'"
    assert found["q", "PoolConflict"] == ("True", "cidr_overlap", why)
    assert found["p", "PoolConflict"] == ("False", "resolved", "")


@pytest.mark.parametrize(
    ("asked", "reason", "message"),
    [
        ("20.0.0.9", "no_pool", "No pool exists with a CIDR containing '20.0.0.9'"),
        ("20.0.0.1", "satisfied", ""),
    ],
)
def test_an_address_that_was_asked_for_is_given_or_not(tmp_path: Path, asked: str, reason: str, message: str) -> None:
    service = PENDING.replace("  clusterIP", f"  loadBalancerIP: {asked}\n  clusterIP")
    status = told(tmp_path, BGP, service, pool())["shop/web", "IPAMRequestSatisfied"]
    assert status == (str(reason == "satisfied"), reason, message)


def test_what_the_api_server_would_not_admit_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(BGP.replace("localASN: 65001", "localASN: 0"))
    (tmp_path / "s.yaml").write_text("cluster: {manifests: [all.yaml]}\nrouters: []\n")
    done = cli("show", "conditions", "-f", str(tmp_path / "s.yaml"))
    assert done.code == 2
    assert "all.yaml:6:" in done.err
