"""
Coronal holes and active regions in full-disc EUV images, as sunpy Maps.

Public names are resolved at first use, so that the import of the package is instant.
"""

from importlib.metadata import version as _version

from lazy_loader import attach_stub as _attach_stub

__version__ = _version("sunpy_scss")

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
