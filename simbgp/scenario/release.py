"""Which release of Cilium a scenario has."""

from simbgp.profiles import SpeakerProfile, UnknownProfileError, newest_speaker, speaker
from simbgp.scenario.schema import Cluster


def release_of(cluster: Cluster) -> SpeakerProfile:
    """That of the scenario, or the newest where it has none that is known; that is reported elsewhere."""
    try:
        return speaker(cluster.cilium or newest_speaker())
    except UnknownProfileError:
        return speaker(newest_speaker())
