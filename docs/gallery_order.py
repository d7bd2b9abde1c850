"""The order of the gallery: what most users need first."""

_ORDER = (
    "segment.py",
    "region_table.py",
    "uncertainty.py",
    "filaments.py",
    "compare_masks.py",
    "classical_methods.py",
    "hek_masks.py",
    "evolution.py",
    "report.py",
    "exports.py",
    "synthetic_sun.py",
    "evaluate.py",
)


class ReadingOrder:
    """Key by which sphinx-gallery sorts the examples of a folder; one that is not listed ends the build."""

    def __init__(self, folder):
        pass

    def __call__(self, name):
        return _ORDER.index(name)
