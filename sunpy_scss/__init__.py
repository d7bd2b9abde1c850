"""
Coronal holes and active regions in full-disc EUV images, as sunpy Maps.

The public names are resolved at first use, so that importing the package stays instant.
"""

from importlib import import_module
from importlib.metadata import version as _version

__version__ = _version("sunpy_scss")

_WHERE = {
    "hek_to_mask": "hek",
    "list_models": "models",
    "load_model": "models",
    "predict_probability": "segment",
    "predict_spread": "segment",
    "region_table": "properties",
    "search_hek": "hek",
    "segment_active_regions": "segment",
    "segment_coronal_holes": "segment",
}

__all__ = ["__version__", *sorted(_WHERE)]


def __getattr__(name):
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__():
    return __all__
