import json
from pathlib import Path

import pytest
from cli_runs import cli

SCENARIOS = Path(__file__).parent.parent / "scenarios"
WORKER = "bgpv2-cplane-dev-service-worker"
BEYOND = str(SCENARIOS / "cilium-dev-service-crash-beyond.yaml")  # the agent of WORKER is down from 60 s to some 93 s

# Cilium's operation guide, "kubectl describe ciliumbgpnodeconfigs", without the identifiers that an API server draws
# (UID, Resource Version) and with 1 for its 2 advertised routes, which its own route table contradicts.
GUIDE = """\
Name:         bgpv2-cplane-dev-service-worker
Namespace:
Labels:       <none>
Annotations:  <none>
API Version:  cilium.io/v2alpha1
Kind:         CiliumBGPNodeConfig
Metadata:
  Creation Timestamp:  2024-10-17T13:59:50Z
  Generation:          1
  Owner References:
    API Version:  cilium.io/v2alpha1
    Kind:         CiliumBGPClusterConfig
    Name:         cilium-bgp
Spec:
  Bgp Instances:
    Local ASN:  65001
    Name:       65001
    Peers:
      Name:          65000
      Peer ASN:      65000
      Peer Address:  fd00:10::1
      Peer Config Ref:
        Group:  cilium.io
        Kind:   CiliumBGPPeerConfig
        Name:   cilium-peer
Status:
  Bgp Instances:
    Local ASN:  65001
    Name:       65001
    Peers:
      Established Time:  2024-10-17T13:59:50Z
      Name:              65000
      Peer ASN:          65000
      Peer Address:      fd00:10::1
      Peering State:     established
      Route Count:
        Advertised:  1
        Afi:         ipv4
        Received:    2
        Safi:        unicast
        Advertised:  1
        Afi:         ipv6
        Received:    2
        Safi:        unicast
      Timers:
        Applied Hold Time Seconds:  90
        Applied Keepalive Seconds:  30
Events:                             <none>
""".replace("Namespace:\n", "Namespace:    \n")

# The whole of it, as kubectl sends it: what the describer of kubectl 1.31 made of it stands in the guide.
GUIDE_OBJECT = {
    "apiVersion": "cilium.io/v2alpha1",
    "kind": "CiliumBGPNodeConfig",
    "metadata": {
        "name": WORKER,
        "creationTimestamp": "2024-10-17T13:59:44Z",
        "generation": 1,
        "ownerReferences": [
            {
                "apiVersion": "cilium.io/v2alpha1",
                "kind": "CiliumBGPClusterConfig",
                "name": "cilium-bgp",
                "uid": "f0c23da8-e5ca-40d7-8c94-91699cf1e03a",
            }
        ],
        "resourceVersion": "1385",
        "uid": "fc88be94-37e9-498a-b9f7-a52684090d80",
    },
    "spec": {"bgpInstances": []},
}
GUIDE_METADATA = """\
Metadata:
  Creation Timestamp:  2024-10-17T13:59:44Z
  Generation:          1
  Owner References:
    API Version:     cilium.io/v2alpha1
    Kind:            CiliumBGPClusterConfig
    Name:            cilium-bgp
    UID:             f0c23da8-e5ca-40d7-8c94-91699cf1e03a
  Resource Version:  1385
  UID:               fc88be94-37e9-498a-b9f7-a52684090d80
"""


def status(at: str, *words: str) -> tuple[str, str]:
    done = cli("show", "status", "-f", BEYOND, "--at", at, "--node", WORKER, *words)
    assert done.code == 0
    return done.out, done.err


def test_the_status_of_the_guide_is_printed_as_kubectl_describes_it() -> None:
    words = ("--set", "cluster.cilium=1.16", "--set", "upFor=10s", "--time-zero", "2024-10-17T14:00:00Z")
    assert status("0", *words)[0] == GUIDE


def test_a_dump_of_kubectl_is_described_to_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "node.json"
    file.write_text(json.dumps(GUIDE_OBJECT))
    assert GUIDE_METADATA in cli("show", "status", "--from", str(file)).out
    file.write_text(json.dumps({"kind": "List", "items": [GUIDE_OBJECT, GUIDE_OBJECT]}))
    both = cli("show", "status", "--from", str(file)).out
    assert both.count("<none>\n\n\nName:") == 1  # kubectl parts two descriptions by two empty lines
    assert "no node 'n' in the dump; allowed: bgpv2" in cli("show", "status", "--from", str(file), "--node", "n").err


def test_yaml_is_as_kubectl_writes_it_and_reads_back_as_the_json() -> None:
    from ruamel.yaml import YAML

    text = status("0", "-o", "yaml")[0]
    assert 'name: "65001"\n' in text  # a text that would read as a number
    assert '- establishedTime: "2025-12-31T23:00:00Z"\n' in text
    assert "peerAddress: fd00:10::1\n" in text
    assert YAML(typ="safe").load(text) == json.loads(status("0", "-o", "json")[0])
    listed = cli("show", "status", "-f", BEYOND, "--at", "0", "-o", "yaml").out
    assert listed.startswith("apiVersion: v1\nitems:\n- apiVersion: cilium.io/v2\n  kind: CiliumBGPNodeConfig\n")
    assert listed.endswith('kind: List\nmetadata:\n  resourceVersion: ""\n')


def test_a_dead_agent_leaves_its_status_as_it_was() -> None:
    text, said = status("70")
    assert "Peering State:     established\n" in text
    assert f"the status of {WORKER} is as its agent left it; that is down" in said
    back = json.loads(status("93", "-o", "json")[0])["status"]["bgpInstances"][0]["peers"][0]
    assert back["peeringState"] == "active"
    assert "establishedTime" not in back
    assert back["timers"] == {"appliedHoldTimeSeconds": 0, "appliedKeepaliveSeconds": 0}


UNLABEL = """\
cluster: {nodes: 2, localASN: 65001}
routers: [{name: tor, profile: frr-8.4, asn: 65000}]
faults:
  - {at: 60s, kind: agent-crash, node: worker-1, downFor: 60s}
  - {at: 90s, kind: unlabel, node: worker-1, relabelAfter: 100s}
"""


def test_the_operator_takes_the_object_when_the_agent_is_back_to_pass_the_label_on(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(UNLABEL)

    def shown(what: str, at: str) -> tuple[str, str]:
        done = cli("show", what, "-f", str(file), "--at", at, "--node", "worker-1")
        assert done.code == 0
        return done.out, done.err

    assert shown("status", "80")[0].startswith("Name:         worker-1\n")
    # the operator selects by the CiliumNode's labels, which the agent copies from the Node's: a dead one does not
    assert shown("status", "95")[0].startswith("Name:         worker-1\n")
    # container back at 120 s, agent up at 130 s (start-up 10 s): it answers, and soon has no peers
    assert shown("status", "140") == ("", 'simbgp: ciliumbgpnodeconfigs.cilium.io "worker-1" not found\n')
    out, said = shown("peers", "140")
    assert (out.count("\n"), said) == (1, "")
    assert "Creation Timestamp:  2026-01-01T00:03:1" in shown("status", "200")[0]  # a new object, soon after 190 s


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("peers", "-o", "yaml"), "-o yaml is for status; allowed for peers: json"),
        (("status", "--as", "shell"), "--as shell: status is what kubectl prints; leave --as out"),
        (("metrics", "--as", "cilium"), "--as cilium: allowed for metrics: cilium-dbg, or none"),
        (("status", "--time-zero", "now"), "--time-zero 'now': allowed: a time with its zone"),
        (("logs", "router"), "logs router: allowed: logs, logs agent, logs operator"),
        (("peers", "--every", "1s"), "--every is for --watch of a table"),
        (("peers", "--watch", "--every", "0s"), "--every: 0s is no interval; allowed: more than 0 s"),
        (("logs", "--watch", "--every", "1s"), "--every is for --watch of a table"),
        (("conditions", "--watch"), "--watch steps through a run; conditions and dumps are at no moment of one"),
        (("conditions", "-o", "yaml"), "-o yaml is for status; allowed for conditions: json"),
    ],
)
def test_what_does_not_go_together_is_said(words: tuple[str, ...], what: str) -> None:
    done = cli("show", *words, "-f", BEYOND, "--at", "0")
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert what in done.err
