"""The outage that this cluster may have."""


def test_a_dead_node_is_noticed_within_ten_seconds(simbgp_run):
    result = simbgp_run("outages/node-down.yaml", runs=100)
    assert result.blackhole_s("web").max <= 10.0
