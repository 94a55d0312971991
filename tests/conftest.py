"""Hypothesis looks for new counter-examples at every run at a desk, and repeats the same ones in CI.

A build must not go red for a change that it does not hold; what a desk finds becomes a test of its own. How long an
example takes says something of the machine, and nothing of the code: there is no deadline.
"""

import os

from hypothesis import settings

settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
