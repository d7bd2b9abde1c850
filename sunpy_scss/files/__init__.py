"""The same from files to files: images segmented, masks measured, compared and followed."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
