"""Scenarios to start from, one for each kind of fault."""

from collections.abc import Mapping

_HEAD = """\
# yaml-language-server: $schema=simbgp.schema.json
# `simbgp schema > simbgp.schema.json` makes the schema; `simbgp run {kind}.yaml` answers.
name: {kind}
description: "{story}"
horizon: {horizon}                # simulated time; a hole still open at its end counts as at least that long

cluster:
  cilium: "1.20"              # in quotes: YAML reads an unquoted 1.20 as 1.2
  nodes: 4                    # worker-1 ... worker-4
  localASN: 65001
  timers: {{connectRetryTimeSeconds: 120, holdTimeSeconds: 90}}    # keepAlive: 30, or a third of a lower hold
  gracefulRestart: {{enabled: true, restartTimeSeconds: 120}}
  loadBalancer: {{algorithm: maglev, mode: dsr}}      # Cilium's own defaults are random and snat
  startup: {{agent: {{uniform: [8s, 15s]}}}}            # container start until BGP may dial

routers:
  - name: tor-1
    profile: frr-8.4          # `simbgp profiles` lists them
    asn: 65000

services:
  - {{name: web, vip: 192.0.2.10, externalTrafficPolicy: Cluster, backends: 12}}

traffic:                      # the rate of new connections follows from these two
  - service: web
    connections: 10000        # open when the run begins
    lifetime: {{lognormal: {{median: 30s, p99: 20m}}}}
    requests: 1/s

faults:
{fault}
slo:
{slo}"""

_QUIET = """\
  - {metric: blackhole_s, stat: p99, max: 1s}
  - {metric: broken_share, stat: mean, max: 0.1%}
"""
_KINDS: Mapping[str, tuple[str, str, str, str]] = {
    "agent-crash": (
        "A Cilium agent dies on one of four nodes and is back within the restart time.",
        "10m",
        """\
  - at: 60s
    kind: agent-crash
    node: worker-1            # a name, a list, worker-[1-3], {matchLabels: ...}, all, {random: 2}
    downFor: 20s              # until the container starts again; without: for good
""",
        _QUIET,
    ),
    "agent-restart": (
        "A Cilium agent is stopped by SIGTERM, as a rollout does it, and starts again.",
        "10m",
        """\
  - at: 60s
    kind: agent-restart       # what goes on the wire depends on the release
    node: worker-1
    downFor: {uniform: [5s, 40s]}    # a law instead of a number: drawn anew in each run
""",
        _QUIET,
    ),
    "node-down": (
        "A node loses its power for good: nobody says goodbye.",
        "15m",
        """\
  - at: 60s
    kind: node-down
    node: {random: 1}         # another node in each run
    # downFor: 5m             # until the power is back
""",
        "  - {metric: blackhole_s, stat: p99, max: 215s}     # hold time and restart time\n",
    ),
    "link-loss": (
        "Packets between a node and its router vanish for a while; the carrier stays.",
        "10m",
        """\
  - at: 60s
    kind: link-loss
    node: worker-1
    router: tor-1             # without: every router of the node
    share: 1                  # all packets
    downFor: 45s
""",
        "  - {metric: blackhole_s, stat: max, max: 50s}\n",
    ),
    "link-down": (
        "The direct link of a node to its router goes dark for a moment.",
        "10m",
        """\
  - at: 60s
    kind: link-down           # beyond a switch (link: switched, the default) it is a loss of packets
    node: worker-1
    router: tor-1
    downFor: 5s
""",
        "  - {metric: blackhole_s, stat: max, max: 10s}\n",
    ),
    "session-reset": (
        "A timer of the PeerConfig is changed: the speaker resets the session (Cease 6/4).",
        "10m",
        """\
  - at: 60s
    kind: session-reset
    node: worker-1
    router: tor-1
""",
        "  - {metric: blackhole_s, stat: max, max: 1s}\n",
    ),
    "router-down": (
        "The only router goes down, host and all, and is back later.",
        "10m",
        """\
  - at: 60s
    kind: router-down
    router: tor-1
    host: silent              # or refusing: the host answers, its daemon is gone
    downFor: 30s
""",
        "  - {metric: blackhole_s, stat: max, max: 2m}\n",
    ),
    "router-restart": (
        "The router's BGP daemon crashes and is started again.",
        "10m",
        """\
  - at: 60s
    kind: router-restart
    router: tor-1
    how: crash                # or stop: it says goodbye
    downFor: 2s
""",
        "  - {metric: blackhole_s, stat: max, max: 10s}\n",
    ),
    "stall": (
        "The agent of a node gets no CPU for a while; its kernel goes on acknowledging.",
        "10m",
        """\
  - at: 60s
    kind: stall
    node: worker-1            # or router: tor-1
    stallFor: 100s
""",
        "  - {metric: blackhole_s, stat: max, max: 1s}\n",
    ),
    "peer-shutdown": (
        "The speaker shuts the peer down by hand (Cease 6/2), and enables it again.",
        "10m",
        """\
  - at: 60s
    kind: peer-shutdown
    node: worker-1
    router: tor-1
    downFor: 2m
""",
        "  - {metric: blackhole_s, stat: max, max: 1s}\n",
    ),
    "agent-upgrade": (
        "The agents of all nodes are rolled over to another release, one after the other.",
        "30m",
        """\
  - at: 60s
    kind: agent-upgrade
    to: "1.20"
    maxUnavailable: 25%       # or a number; Cilium's chart says 2
    minReadySeconds: 30       # ready is not yet Established
    imagePull: {uniform: [20s, 40s]}    # after the old agent has ended
    prePulled: false          # true: the images are on the nodes before
    # readyAfter: 5s          # container start to Ready, whatever BGP does; without: when the agent has started
    # rollbackAfter: 5m       # kubectl rollout undo, finished or not
""",
        """\
  - {metric: zero_next_hop_s, stat: max, max: 0s}
  - {metric: procedure_s, stat: p99, max: 10m}
""",
    ),
    "node-drain": (
        "A node is taken out for maintenance in the order of Cilium's guide, and is back later.",
        "30m",
        """\
  - at: 60s
    kind: node-drain
    node: worker-1
    order: [drain, unlabel, wait, poweroff]    # in any order; leave out what is not done
    wait: auto                # or a duration; `simbgp wait` says which
    terminationGracePeriodSeconds: 30
    # preStop: 10s            # the hook runs first, then SIGTERM; no longer than the grace period
    # shutdown: 5s            # SIGTERM to the process's own end; SIGKILL when the grace period is over
    downFor: 5m               # from the last step until the power is back
""",
        """\
  - {metric: blackhole_s, stat: max, max: 1s}
  - {metric: procedure_s, stat: p99, max: 3m}
""",
    ),
    "operator-down": (
        "The Cilium operator is away while the label of a node changes: nothing happens until it is back.",
        "15m",
        """\
  - at: 60s
    kind: operator-down
    downFor: 5m
  - at: 90s
    kind: unlabel
    node: worker-1
""",
        "  - {metric: blackhole_s, stat: max, max: 1s}\n",
    ),
    "service-add": (
        "A service is created while the operator is away: its address, and so its route, waits for the operator.",
        "15m",
        """\
  - at: 60s
    kind: service-add
    service: web              # one of services: it is not there before, and its clients come from then on
  - at: 50s
    kind: operator-down
    how: crash                # the leading replica dies; the other has the lease some 17 s later
""",
        "  - {metric: zero_next_hop_s, stat: max, max: 30s, service: web}\n",
    ),
    "node-join": (
        "A fourth node joins: it boots, gets its PodCIDR and its BGP configuration, and announces.",
        "15m",
        """\
  - at: 60s
    kind: node-join
    node: worker-4            # one of nodes: it is not there before
""",
        "  - {metric: blackhole_s, stat: max, max: 1s}\n",
    ),
    "backends-down": (
        "All backends of a service fail at once: a Cluster service keeps its VIP, a Local one withdraws it.",
        "10m",
        """\
  - at: 60s
    kind: backends-down
    service: web
    # backends: [web-1, web-2]    # without: all of them
    # how: unready            # gone (without), crash, unready: what EndpointSlices say of them
    downFor: 30s
""",
        "  - {metric: blackhole_s, stat: max, max: 35s}\n",
    ),
    "unlabel": (
        "A node is taken out of BGP by its label before maintenance, and put back later.",
        "10m",
        """\
  - at: 60s
    kind: unlabel
    node: worker-1
    relabelAfter: 3m          # without: it stays out
""",
        "  - {metric: blackhole_s, stat: max, max: 1s}\n",
    ),
}


def init(kind: str) -> str:
    """A commented scenario with a fault of ``kind``. Raises ValueError, naming the kinds there are."""
    if kind not in _KINDS:
        raise ValueError(f"no example for {kind!r}; allowed: {', '.join(_KINDS)}")
    story, horizon, fault, slo = _KINDS[kind]
    return _HEAD.format(kind=kind, story=story, horizon=horizon, fault=fault, slo=slo)
