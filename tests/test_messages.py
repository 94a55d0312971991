"""What ends a session, as RFC 4271, 4486, 8538 and 9384 number it."""

import pytest

from simbgp.model.bgp import messages
from simbgp.model.bgp.messages import Closing, cease
from simbgp.timeline.reasons import Reason

# RFC 4486 §4, RFC 9384 §3: Cease subcodes
SUBCODES = {2: messages.SHUTDOWN, 3: messages.DECONFIGURED, 4: messages.ADMIN_RESET, 10: messages.BFD_DOWN}


@pytest.mark.parametrize(("subcode", "closing"), SUBCODES.items())
def test_a_cease_has_the_subcode_that_its_reason_names(subcode, closing):
    """By which a speaker decides whether it goes out as a Hard Reset, and a helper that it is a NOTIFICATION."""
    assert cease(subcode, closing.reason) == closing
    assert (closing.kind, closing.subcode) == ("cease", subcode)
    assert f"6/{subcode} " in closing.reason.value


def test_what_tcp_tells_has_no_subcode():
    for closing in (messages.FIN, messages.RST, messages.REPLACED):
        assert (closing.kind, closing.subcode) == ("tcp_closed", None)
    assert Closing(Reason.HARD_RESET, "hard_reset") == messages.HARD_RESET  # not a Cease that a helper may keep
