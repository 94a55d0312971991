"""Inputs that nobody would write, by the hundred thousand: ``python -m benchmarks.fuzz``."""
