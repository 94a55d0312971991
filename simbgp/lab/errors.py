"""What keeps the lab from playing: said in a line, never as a traceback."""


class LabError(Exception):
    """The machine, a daemon or the scenario is not what the lab needs; the text says what to do."""
