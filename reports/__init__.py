"""Reports of shipped scenarios, as they are checked in; ``python -m reports.make`` remakes them."""
