"""The model against measurements of real daemons: ``python -m benchmarks.control_plane`` and its sisters."""
