"""The axis of dates that all figures over time have."""

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

__all__ = ["label_dates"]


def label_dates(axes):
    """Dates below an axis, as short as they can be."""
    locator = AutoDateLocator()
    axes.xaxis.set(major_locator=locator, major_formatter=ConciseDateFormatter(locator))
