"""A small scenario that tests change in one place."""

from simbgp.scenario import Scenario, loads

SMALL = """\
name: small
cluster:
  cilium: "1.20"
  nodes: 4
routers:
  - {name: tor-1, profile: frr-8.4}
"""


def small(extra: str = "", *overrides: str) -> Scenario:
    """The small scenario with more text after it and ``--set`` overrides."""
    return loads(SMALL + extra, "small.yaml", overrides=overrides)
