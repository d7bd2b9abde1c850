"""Figures: what is known of an image, drawn over it, and what a model is worth."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
