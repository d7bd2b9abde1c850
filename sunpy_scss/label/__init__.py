"""A page to draw and correct labels in the browser, and the labels of two people compared."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
