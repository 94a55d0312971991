import math

import pytest
from scenario_texts import SMALL, small
from scipy import integrate, stats

from simbgp.profiles import Law, newest_speaker, router
from simbgp.scenario import ScenarioError, loads
from simbgp.scenario.little import mean_s
from simbgp.scenario.metrics import METRICS, read_bound
from simbgp.scenario.selectors import expand

SIGMA = math.log(1200 / 30) / stats.norm.ppf(0.99)


def told(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        loads(text, "a.yaml")
    return str(caught.value)


def test_the_defaults_are_those_that_are_promised() -> None:
    plan = loads("{cluster: {nodes: 2}, routers: [{name: tor-1, profile: frr-8.4}]}").plan()
    peering = plan.peerings[0]
    assert (plan.horizon_us, plan.up_for_us, plan.cold_start) == (600_000_000, 3_600_000_000, False)
    assert plan.speaker.name == newest_speaker()
    assert (peering.connect_retry_s, peering.hold_s, peering.keepalive_s) == (120, 90, 30)
    assert (peering.restart.enabled, peering.restart.restart_time_s) == (False, 120)
    assert (plan.load_balancer.algorithm, plan.load_balancer.mode, plan.load_balancer.table_size) == (
        "random",
        "snat",
        16381,
    )
    assert plan.node_startup == Law.constant(60)
    assert plan.agent_startup == Law.constant(10)
    assert plan.node_monitor_grace == Law.constant(50)
    assert plan.routers[0].link == "switched"
    assert plan.routers[0].asn == 65000
    assert plan.routers[0].profile == router("frr-8.4")


def test_numbered_nodes_have_numbered_names_addresses_and_pod_cidrs() -> None:
    nodes = small("", "cluster.nodes=300").plan().nodes
    assert [nodes[0].name, nodes[0].addresses, nodes[0].pod_cidrs] == ["worker-1", ("10.0.0.1",), ("10.244.1.0/24",)]
    assert nodes[255].addresses == ("10.0.1.0",)  # 10.0.0.1 + 255
    assert nodes[255].pod_cidrs == ("10.245.0.0/24",)  # 10.244.1.0 + 255 × 256
    assert len({node.addresses for node in nodes}) == len({node.pod_cidrs for node in nodes}) == 300


def test_a_default_address_gives_way_to_one_that_is_written() -> None:
    text = SMALL.replace("profile: frr-8.4", "profile: frr-8.4, address: 10.0.0.2")
    assert [node.addresses[0] for node in loads(text).plan().nodes] == ["10.0.0.1", "10.0.0.5", "10.0.0.3", "10.0.0.4"]


def test_written_nodes_keep_what_is_written_in_canonical_text() -> None:
    node = "[{name: a, podCIDRs: ['10.1.0.0/24', 'FD00:0::/64'], address: ['FD00::0:1'], rack: r1, ecmpWeight: 3}]"
    found = small("", f"cluster.nodes={node}").plan().nodes[0]
    assert (found.pod_cidrs, found.addresses) == (("10.1.0.0/24", "fd00::/64"), ("fd00::1",))
    assert (found.rack, found.labels, found.ecmp_weight) == ("r1", {"rack": "r1"}, 3)


def test_racks_have_routers_that_serve_their_own_nodes() -> None:
    plan = loads("{cluster: {racks: {count: 2, nodes: 3, routers: 2, router: {profile: rfc4724}}}}").plan()
    assert [node.name for node in plan.nodes][2:4] == ["rack-1-worker-3", "rack-2-worker-1"]
    assert [one.name for one in plan.routers] == ["rack-1-tor-1", "rack-1-tor-2", "rack-2-tor-1", "rack-2-tor-2"]
    assert len(plan.peerings) == 2 * 3 * 2
    assert all(peering.node[:6] == peering.router[:6] for peering in plan.peerings)
    assert plan.routers[0].addresses == ("10.0.255.250",)
    assert plan.routers[3].addresses == ("10.0.255.247",)


@pytest.mark.parametrize(
    ("nodes", "served"),
    [
        ("all", "1234"),
        ("worker-2", "2"),
        ("[worker-4, worker-1]", "14"),
        ("'worker-[2-3]'", "23"),
        ("['worker-[1-2]', worker-4]", "124"),
    ],
)
def test_a_router_serves_the_nodes_it_names_in_their_order(nodes: str, served: str) -> None:
    plan = small("", f"routers.0.nodes={nodes}").plan()
    assert "".join(peering.node[-1] for peering in plan.peerings) == served


def test_labels_select_nodes() -> None:
    nodes = "[{name: a, labels: {zone: x}}, {name: b, rack: r1}, {name: c, labels: {zone: x}, rack: r1}]"
    plan = small("", f"cluster.nodes={nodes}", "routers.0.nodes={matchLabels: {rack: r1, zone: x}}").plan()
    assert [peering.node for peering in plan.peerings] == ["c"]


def test_ranges_expand_as_they_read() -> None:
    assert list(expand("worker-[9-11]")) == ["worker-9", "worker-10", "worker-11"]
    assert list(expand("n[08-10]")) == ["n08", "n09", "n10"]
    assert list(expand("r[1-2]-w[1-2]")) == ["r1-w1", "r1-w2", "r2-w1", "r2-w2"]
    assert list(expand("[2-1]")) == []
    assert list(expand("plain")) == ["plain"]


def test_backends_are_dealt_in_turn_and_keyed_as_cilium_does() -> None:
    service = small("services:\n  - {name: web, vip: 192.0.2.10, backends: 5}\n").plan().services[0]
    assert [(backend.name, backend.node) for backend in service.backends][3:] == [
        ("web-4", "worker-4"),
        ("web-5", "worker-1"),
    ]
    assert service.backends[0].key == "[10.244.1.11:8080/TCP,State:active]"
    assert service.backends[4].key == "[10.244.1.12:8080/TCP,State:active]"
    assert service.prefixes == ("192.0.2.10/32",)


@pytest.mark.parametrize("cidr", ["10.1.0.0/24", "10.1.0.0/28", "10.1.0.0/32", "fd00::/64"])
def test_any_number_of_backends_has_keys_of_its_own(cidr: str) -> None:
    text = "services:\n  - {name: a, vip: 192.0.2.1, backends: 300}\n  - {name: b, vip: 192.0.2.2, backends: 300}\n"
    services = small(text, f"cluster.nodes=[{{name: n, podCIDR: '{cidr}'}}]").plan().services
    assert len({backend.key for service in services for backend in service.backends}) == 600


def test_a_default_backend_name_is_not_that_of_another() -> None:
    backends = "[{node: worker-1, name: web-2}, {node: worker-2}]"
    text = SMALL + f"services:\n  - {{name: web, vip: 192.0.2.10, backends: {backends}}}\n"
    assert "services.0.backends.1.name: duplicate backend name 'web-2'" in told(text)


def test_no_two_backends_share_a_key_and_ipv6_vips_have_ipv6_pods() -> None:
    nodes = "[{name: a, podCIDRs: ['10.1.0.0/24', 'fd00:b::/64']}]"
    text = "services:\n  - {name: web, vip: '2001:DB8::A', backends: 1}\n  - {name: api, vip: 192.0.2.1, backends: 1}\n"
    web, api = small(text, f"cluster.nodes={nodes}").plan().services
    assert web.prefixes == ("2001:db8::a/128",)
    assert web.backends[0].key == "[[fd00:b::b]:8080/TCP,State:active]"
    assert api.backends[0].key == "[10.1.0.12:8080/TCP,State:active]"


@pytest.mark.parametrize(("policy", "announcing"), [("Cluster", "1234"), ("Local", "13")])
def test_a_local_service_is_announced_by_nodes_with_a_backend_only(policy: str, announcing: str) -> None:
    backends = "[{node: worker-1}, {node: worker-3, name: x}, {node: worker-3}]"
    text = f"services:\n  - {{name: web, vip: 192.0.2.10, externalTrafficPolicy: {policy}, backends: {backends}}}\n"
    peerings = small(text).plan().peerings
    assert "".join(p.node[-1] for p in peerings if "192.0.2.10/32" in p.prefixes) == announcing
    assert peerings[0].prefixes == ("10.244.1.0/24", "192.0.2.10/32")


def test_only_what_is_advertised_is_announced() -> None:
    text = "services:\n  - {name: web, vip: 192.0.2.10, backends: 1}\n"
    assert small(text, "cluster.advertise=[PodCIDR]").plan().peerings[0].prefixes == ("10.244.1.0/24",)
    assert small(text, "cluster.advertise=[LoadBalancerIP]").plan().peerings[0].prefixes == ("192.0.2.10/32",)


def test_a_session_carries_ipv6_if_an_ipv6_prefix_is_announced() -> None:
    assert small().plan().peerings[0].families == ("ipv4",)
    text = "services:\n  - {name: web, vip: '2001:db8::1', backends: 1}\n"
    assert small(text).plan().peerings[0].families == ("ipv4", "ipv6")


@pytest.mark.parametrize(("hold", "keepalive"), [(3, 1), (9, 3), (89, 29), (90, 30), (180, 30)])
def test_a_keepalive_time_that_nobody_wrote_is_30_or_a_third_of_the_hold_time(hold: int, keepalive: int) -> None:
    assert small("", f"cluster.timers.holdTimeSeconds={hold}").plan().peerings[0].keepalive_s == keepalive


def test_a_bare_speaker_starts_at_once_unless_told_otherwise() -> None:
    bare = small("", "cluster.cilium=gobgp-3.36").plan()
    assert (bare.node_startup, bare.agent_startup) == (Law.constant(0), Law.constant(0))
    assert small("", "cluster.cilium=gobgp-3.36", "cluster.startup.agent=3s").plan().agent_startup == Law.constant(3)


def test_a_router_overrides_its_profile() -> None:
    plan = small(
        "",
        "routers.0.timers={holdTimeSeconds: 30}",
        "routers.0.gracefulRestart={helper: false, notification: false, stalePathTimeSeconds: 60}",
        "routers.0.ecmp.hash=modulo",
        "routers.0.link=direct",
    ).plan()
    profile = plan.routers[0].profile
    assert (profile.hold_s, profile.keepalive_s) == (30, 10)  # FRR's own 60 s would be above the hold time
    assert (profile.helper, profile.notification, profile.stale_path_s) == (False, False, 60)
    assert (plan.routers[0].ecmp.hash, plan.routers[0].link) == ("modulo", "direct")


@pytest.mark.parametrize(
    ("law", "oracle"),
    [
        (Law.parse({"uniform": ["10s", "40s"]}), stats.uniform(10, 30).mean()),
        (Law.parse({"lognormal": {"median": "30s", "p99": "20m"}}), stats.lognorm(SIGMA, scale=30).mean()),
        (Law.parse({"exponential": {"mean": "30s"}}), 30.0),
        (Law.parse({"choice": [1, 2, 6]}), 3.0),
        (Law.parse({"empirical": [12, 13.5, 41]}), (12.75 + 27.25) / 2),  # two linear pieces, each half the time
        (Law.parse({"normal": {"mean": 1, "sd": 2}}), stats.norm(1, 2).expect(lambda x: max(x, 0.0))),
        (Law.parse("90s"), 90.0),
    ],
    ids=lambda value: str(value) if isinstance(value, Law) else "",
)
def test_the_mean_of_a_law_is_that_of_its_distribution(law: Law, oracle: float) -> None:
    assert mean_s(law) == pytest.approx(oracle, rel=1e-6)
    whole, _ = integrate.quad(law.quantile, 0, 1, limit=500)  # E[X] = ∫ quantile(u) du
    assert whole == pytest.approx(oracle, rel=2e-3)


def traffic(entry: str) -> str:
    return (
        SMALL + f"services:\n  - {{name: web, vip: 192.0.2.10, backends: 1}}\ntraffic:\n  - {{service: web, {entry}}}\n"
    )


@pytest.mark.parametrize(
    ("entry", "connections", "arrivals", "mean"),
    [
        ("connections: 1000, lifetime: 20s", 1000, 50.0, 20.0),  # 1000 / 20
        ("arrivals: 50/s, lifetime: 20s", 1000, 50.0, 20.0),
        ("connections: 1000, arrivals: 3000/m", 1000, 50.0, 20.0),
        ("connections: 1000, arrivals: 50.4/s, lifetime: 20s", 1000, 50.4, 20.0),  # within 1 %
        ("connections: 1000, arrivals: 0/s, lifetime: 10000000", 1000, 0.0, 1e7),  # 0.06 arrivals in 10 minutes
    ],
)
def test_two_of_three_give_the_third_by_littles_law(entry: str, connections: int, arrivals: float, mean: float) -> None:
    plan = loads(traffic(entry)).plan().traffic[0]
    assert (plan.connections, plan.arrivals_per_s) == (connections, pytest.approx(arrivals))
    assert mean_s(plan.lifetime) == pytest.approx(mean)


@pytest.mark.parametrize(
    "entry", ["connections: 1000", "lifetime: 1s", "connections: 0, arrivals: 1/s", "arrivals: 0/s, connections: 1"]
)
def test_one_of_three_is_not_enough(entry: str) -> None:
    assert "give two of connections, arrivals and lifetime" in told(traffic(entry))


def test_three_that_disagree_by_more_than_a_hundredth_are_refused() -> None:
    assert "50 arrivals/s, not 51" in told(traffic("connections: 1000, arrivals: 51/s, lifetime: 20s"))  # 2 %
    assert "the lifetime is 0" in told(traffic("connections: 1000, lifetime: 0s"))


@pytest.mark.parametrize(
    ("written", "interval"), [("1/s", 1.0), ("0.5/s", 2.0), ("10/m", 6.0), ("2.857/s", 1 / 2.857), ("5", 0.2)]
)
def test_requests_are_periodic(written: str, interval: float) -> None:
    plan = loads(traffic(f"connections: 1, lifetime: 1s, requests: {written}")).plan().traffic[0]
    assert plan.request_interval_s == pytest.approx(interval)
    assert not plan.poisson_requests


@pytest.mark.parametrize(
    ("metric", "written", "bound"),
    [
        ("blackhole_s", "1500ms", 1.5),
        ("blackhole_s", 2, 2.0),
        ("reset_share", "0.1%", 0.001),
        ("reset_share", 0.001, 0.001),
        ("peak_node_load", "50%", 0.5),
        ("min_next_hops", 3, 3.0),
        ("reset_count", 0, 0.0),
    ],
)
def test_a_bound_is_written_as_its_metric_is_measured(metric: str, written: object, bound: float) -> None:
    assert read_bound(metric, written) == pytest.approx(bound)


@pytest.mark.parametrize(
    ("metric", "written"), [("blackhole_s", "1%"), ("reset_share", 1.01), ("flaps", "3s"), ("flaps", -1)]
)
def test_a_bound_of_another_kind_is_refused(metric: str, written: object) -> None:
    with pytest.raises(ValueError, match="allowed"):
        read_bound(metric, written)


@pytest.mark.parametrize("stat", ["mean", "max", "min", "p50", "p99", "p99.9", "p97.5"])
def test_statistics_up_to_the_99_9th_percentile_are_known(stat: str) -> None:
    assert small(f"slo:\n  - {{metric: blackhole_s, stat: {stat}, max: 1s}}\n").plan().slo[0].stat == stat
    assert set(METRICS) >= {"blackhole_s", "broken_share", "min_next_hops"}


def test_a_bound_speaks_of_a_prefix_in_canonical_text() -> None:
    text = "slo:\n  - {{metric: blackhole_s, stat: max, max: 1s, min_share: 5%, prefix: '{}'}}\n"
    plans = [small(text.format(prefix)).plan().slo[0] for prefix in ("192.0.2.10", "2001:DB8::/32")]
    assert [plan.prefix for plan in plans] == ["192.0.2.10/32", "2001:db8::/32"]
    assert plans[0].min_share == 0.05


def test_a_fault_between_nodes_and_routers_without_a_router_means_all_of_them() -> None:
    faults = "faults:\n  - {at: 1s, kind: link-loss, node: worker-2}\n  - {at: 1s, kind: node-down, node: worker-2}\n"
    text = SMALL + "  - {name: tor-2, profile: rfc4724}\n" + faults
    loss, down = loads(text).plan().faults
    assert (loss.nodes, loss.routers, loss.options) == (
        ("worker-2",),
        ("tor-1", "tor-2"),
        {"share": 1.0, "direction": "both"},
    )
    assert (down.routers, down.down_for, down.name) == ((), None, 1)


def test_a_fault_needs_a_session_to_hit() -> None:
    routers = "  - {name: tor-2, profile: rfc4724, nodes: worker-1}\n"
    text = SMALL + routers + "faults:\n  - {at: 1s, kind: peer-shutdown, node: NODE, router: tor-2}\n"
    assert loads(text.replace("NODE", "worker-1")).plan().faults[0].routers == ("tor-2",)
    assert "no session between worker-2 and tor-2" in told(text.replace("NODE", "worker-2"))


@pytest.mark.parametrize(("mode", "warned"), [("snat", True), ("dsr", False)])
def test_maglev_with_snat_is_warned_of(mode: str, warned: bool) -> None:
    text = "services:\n  - {name: web, vip: 192.0.2.10, backends: 1}\n"
    warnings = small(text, f"cluster.loadBalancer={{algorithm: maglev, mode: {mode}}}").warnings
    assert any("maglev with snat saves no connection" in warning for warning in warnings) is warned


@pytest.mark.parametrize(("keepalive", "warned"), [(30, False), (31, True)])
def test_a_keepalive_above_a_third_of_the_hold_time_is_warned_of(keepalive: int, warned: bool) -> None:
    text = SMALL.replace("nodes: 4", f"nodes: 4\n  timers: {{holdTimeSeconds: 90, keepAliveTimeSeconds: {keepalive}}}")
    assert bool(loads(text).warnings) is warned
