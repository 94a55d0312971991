"""BGP sessions: both ends, their timers, graceful restart, and the speaker's rule when to announce."""
