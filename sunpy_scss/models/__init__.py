"""Models and their cards: what a network's weights are, where they come from and what they are worth."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
