"""What a result looks like: pure functions of results, plans and timelines."""
