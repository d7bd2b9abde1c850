"""Training: labelled Maps to a data set, a configuration to a model folder, and scores."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
