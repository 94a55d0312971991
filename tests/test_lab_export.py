"""The containerlab topology: by containerlab's own schema, and by what the lab builds."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from simbgp.lab.errors import LabError
from simbgp.lab.export import IMAGES, TOPOLOGY, exported
from simbgp.scenario import draw
from tests.cli_runs import cli
from tests.lab_worlds import CRASH, plan, text

SCHEMA = json.loads((Path(__file__).parent / "data" / "containerlab" / "clab.schema.json").read_text())
BACK = "{at: 2s, kind: agent-crash, node: worker-1, downFor: 3s}"


def _files(fault: str = CRASH, **settings: Any) -> dict[str, str]:
    return exported(draw(plan(fault, **settings), 0, 0), IMAGES)


def _topology(files: dict[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = YAML(typ="safe").load(files[TOPOLOGY])
    return said


@pytest.mark.parametrize("profile", ["frr-8.4", "bird-2.0", "gobgp-3.10", "openbgpd-7.7", "eos"])
@pytest.mark.parametrize("link", ["switched", "direct"])
def test_containerlab_takes_it(profile: str, link: str):
    files = _files(profile=profile, link=link)
    check = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)  # without its own check: a pattern of it is Perl's
    assert [error.message for error in check.iter_errors(_topology(files))] == []
    said = _topology(files)["topology"]
    ends = [end for each in said["links"] for end in each["endpoints"]]
    assert len(ends) == len(set(ends))  # an interface is on one link
    assert {end.partition(":")[0] for end in ends} == set(said["nodes"])
    bound = [bind.partition(":")[0] for node in said["nodes"].values() for bind in node.get("binds", [])]
    startup = [node["startup-config"] for node in said["nodes"].values() if "startup-config" in node]
    assert {*bound, *startup} == set(files) - {TOPOLOGY, "faults.sh"}


def test_a_switched_router_has_a_switch_and_a_direct_one_none():
    # clients, the router's own port and two nodes; direct: clients and two nodes
    assert len(_topology(_files())["topology"]["links"]) == 4
    direct = _topology(_files(link="direct"))["topology"]
    assert len(direct["links"]) == 3
    assert not [name for name in direct["nodes"] if name.startswith("switch")]


def test_interfaces_of_eos_are_numbered():
    files = _files(profile="eos", link="direct")
    ends = [end for each in _topology(files)["topology"]["links"] for end in each["endpoints"]]
    assert [end for end in ends if end.startswith("tor-1:")] == ["tor-1:eth3", "tor-1:eth1", "tor-1:eth2"]
    startup = files["tor-1/startup.cfg"]
    assert "interface Ethernet3\n   no switchport\n   ip address 198.18.1.1/24" in startup
    assert "neighbor 172.30.1.6 remote-as 65001" in startup


def test_the_script_plays_the_faults_at_their_moments():
    script = _files(BACK)["faults.sh"]
    assert "(sleep 2.000000; inside worker-1 pkill -KILL gobgpd) &" in script
    assert "(sleep 5.000000; inside worker-1 sh -c 'gobgpd -r" in script


@pytest.mark.parametrize(
    ("fault", "profile", "said"),
    [
        (CRASH, "junos", "no image plays the profile junos"),
        ("{at: 2s, kind: router-down, router: tor-1}", "frr-8.4", "router-down is not exported"),
        ("{at: 2s, kind: unlabel, node: worker-1, relabelAfter: 3s}", "frr-8.4", "the end of unlabel is not exported"),
    ],
)
def test_what_is_not_exported_is_refused_by_name(fault: str, profile: str, said: str):
    with pytest.raises(LabError, match=said):
        _files(fault, profile=profile)


def test_the_command_writes_a_folder(tmp_path: Path):
    file, folder = tmp_path / "cell.yaml", tmp_path / "out"
    file.write_text(text(CRASH))
    done = cli("lab", "export", str(file), "--containerlab", str(folder), "--image", "frr=frr:10.2")
    assert done.code == 0, done.err
    assert YAML(typ="safe").load((folder / TOPOLOGY).read_text())["topology"]["nodes"]["tor-1"]["image"] == "frr:10.2"
    assert (folder / "faults.sh").stat().st_mode & 0o111
    wrong = cli("lab", "export", str(file), "--containerlab", str(folder), "--image", "cisco=x")
    assert (wrong.code, "allowed: frr" in wrong.err) == (2, True)
