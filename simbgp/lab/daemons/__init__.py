"""The daemons: one file each, which writes its configuration, starts it and reads its log."""
