"""Figures of Maps with their masks, of regions over time, and of the scores of a model."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
