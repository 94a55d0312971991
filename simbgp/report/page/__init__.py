"""A result as a page: one HTML file to look at, to print and to send, with the worst run to replay."""

from simbgp.report.page.render import page

__all__ = ["page"]
