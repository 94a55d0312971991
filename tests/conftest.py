"""Hypothesis looks for new counter-examples at every run at a desk, and repeats the same ones in CI.

A build must not go red for a change that it does not hold; what a desk finds becomes a test of its own.
"""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
