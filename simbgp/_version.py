"""The version, where nothing heavy is."""

__version__ = "0.1.0"
