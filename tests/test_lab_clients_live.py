"""Real connections on real daemons, where this machine can: against RFC 2992 and what a SNAT or DSR node must do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest

from simbgp import scenario
from simbgp.lab.dataplane.layout import layout_of
from simbgp.lab.dataplane.rules import ruleset
from simbgp.lab.needs import lacking
from simbgp.lab.registry import HOME, namespaces, remove_leftovers, runs
from simbgp.lab.topology import topology_of
from tests.cli_runs import cli
from tests.lab_worlds import text

CLIENTS = "traffic: [{service: web, connections: 400, lifetime: 1h, requests: 2/s}]"
AWAY = "{at: 2s, kind: unlabel, node: worker-2}"
WORLD = f"{text(AWAY, horizon_s=6)}\n{CLIENTS}\n"
WHY_NOT = "; ".join(lacking(scenario.loads(WORLD).plan())) if os.environ.get("SIMBGP_LAB") else "SIMBGP_LAB is not set"
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=f"no lab: {WHY_NOT}")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    with open("/run/simbgp-lab.tests", "w") as lock:  # one at a time: a driver takes away what a killed one left
        flock(lock, LOCK_EX)
        yield
    assert [name for name in namespaces() if name.startswith(f"simbgp-lab-{os.getpid()}-")] == []


def _measured(folder: Path, *settings: str, nodes: int = 3) -> dict[str, Any]:
    file = folder / "cell.yaml"
    file.write_text(WORLD)
    sets = [word for each in (f"cluster.nodes={nodes}", "services.0.backends=6", *settings) for word in ("--set", each)]
    done = cli("lab", "run", str(file), *sets, "--format", "json", "--quiet")
    assert done.code == 0, done.err
    return next(row for row in json.loads(done.out)["connections"] if row["fault"] is None)


def test_who_moves_is_reset_behind_snat(tmp_path: Path):
    row = _measured(tmp_path, "cluster.loadBalancer={algorithm: maglev, mode: snat}")
    # RFC 2992, 3 next hops, the middle one goes: its own third moves and nobody else; sd of 400: 9.4
    assert abs(row["moved"] - 133) < 38
    assert row["reset"] == row["moved"]
    assert row["unaffected"] == row["total"] - row["moved"]


def test_who_moves_goes_on_with_dsr_and_maglev(tmp_path: Path):
    balancer = "cluster.loadBalancer={algorithm: maglev, mode: dsr}"
    row = _measured(tmp_path, balancer, "routers.0.ecmp={hash: resilient, buckets: 1024, onChange: replace}")
    assert abs(row["moved"] - 133) < 38
    assert row["unaffected"] == row["total"]


@pytest.mark.parametrize("mode", ["snat", "dsr"])
@pytest.mark.parametrize("algorithm", ["random", "maglev"])
@pytest.mark.parametrize("loose", ["tcpLoose: true", "tcpLoose: false", "tcpLoose: false, vipOnNode: false"])
def test_nftables_takes_every_rule(mode: str, algorithm: str, loose: str):
    settings = f"{{mode: {mode}, algorithm: {algorithm}, {loose}}}"
    plan = scenario.loads(WORLD.replace("  gracefulRestart", f"  loadBalancer: {settings}\n  gracefulRestart")).plan()
    topology = topology_of(plan)
    rules = ruleset(plan, layout_of(topology), "worker-1", ["to-r1"])
    done = subprocess.run(["unshare", "--net", "nft", "-c", "-f", "-"], input=rules, text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_left_of_clients_and_pods_after_kill_9(tmp_path: Path):
    file = tmp_path / "cell.yaml"
    file.write_text(WORLD)
    driver = subprocess.Popen([sys.executable, "-m", "simbgp", "lab", "run", str(file), "--quiet"])
    listed = HOME / f"{driver.pid}.json"
    until = time.monotonic() + 60
    while not _clients_run(listed) and time.monotonic() < until:
        time.sleep(0.2)
    pids = [int(pid) for pid in json.loads(listed.read_text())["processes"]]
    assert len(pids) >= 7  # zebra, bgpd, a monitor, two gobgpd, the pods, the clients
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert [name for name in remove_leftovers() if f"-{driver.pid}-" in name]
    assert [pid for pid in pids if runs(pid)] == []
    assert not [name for name in namespaces() if f"-{driver.pid}-" in name]
    assert not listed.exists()


def _clients_run(listed: Path) -> bool:
    """Whether the driver that keeps this list has started its clients."""
    try:
        pids = json.loads(listed.read_text())["processes"]
    except (OSError, ValueError):
        return False
    words = [Path(f"/proc/{pid}/cmdline") for pid in pids]
    return any(b"dial.py" in path.read_bytes() for path in words if path.exists())
