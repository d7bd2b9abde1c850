"""The axis of dates in all figures over time."""

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

__all__ = ["label_dates"]


def label_dates(axes):
    """Label an axis with dates in their shortest form."""
    locator = AutoDateLocator()
    axes.xaxis.set(major_locator=locator, major_formatter=ConciseDateFormatter(locator))
