"""A figure that a notebook shows as the last value of a cell, with no backend chosen and no window."""

from io import BytesIO

from matplotlib.figure import Figure


class Picture(Figure):
    """A matplotlib figure that knows its own PNG."""

    def _repr_png_(self) -> bytes:
        from simbgp.report.figures.style import house_style

        with house_style(), BytesIO() as file:
            self.savefig(file, format="png", metadata={"Software": None})
            return file.getvalue()
