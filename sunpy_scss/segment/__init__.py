"""Coronal holes and active regions of a Map, as a mask Map on the same WCS."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
