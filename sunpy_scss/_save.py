"""Results to files, whole or not at all, in folders that are made where missing."""

import tempfile
from pathlib import Path

__all__ = ["refuse_existing", "save_figure", "save_map", "save_table", "save_text"]


def refuse_existing(*paths, overwrite):
    """
    Raise an error where results would replace files; better before they are worked out than after.

    Parameters
    ----------
    *paths : path-like
    overwrite : bool
        Whether to replace them, so that there is no error.

    Raises
    ------
    FileExistsError
        If one of them exists.
    """
    there = [str(path) for path in paths if Path(path).exists()]
    if there and not overwrite:
        msg = f"There already: {', '.join(there)}. To replace, pass overwrite=True, in the shell --overwrite."
        raise FileExistsError(msg)


def save_map(smap, path):
    """
    Save a Map as FITS, whole or not at all; what is there is replaced.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    path : path-like
    """
    _whole(path, lambda scratch: smap.save(scratch))


def save_figure(figure, path):
    """
    Save a figure and close it, whole or not at all; what is there is replaced.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path-like
    """
    import matplotlib.pyplot as plt  # a heavy import that other files do without

    try:
        # Tight: the layout of a figure does not know of the titles of WCSAxes.
        _whole(path, lambda scratch: figure.savefig(scratch, bbox_inches="tight"))
    finally:
        plt.close(figure)


def save_table(table, path):
    """
    Save a table in the format that the name ends with, whole or not at all; what is there is replaced.

    Parameters
    ----------
    table : astropy.table.Table
    path : path-like
    """
    _whole(path, lambda scratch: table.write(scratch))


def save_text(text, path):
    """
    Save a text as UTF-8, whole or not at all; what is there is replaced.

    Parameters
    ----------
    text : str
    path : path-like
    """
    _whole(path, lambda scratch: scratch.write_text(text, encoding="utf-8", newline=""))


def _whole(path, write):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        scratch = Path(folder) / path.name
        write(scratch)
        scratch.replace(path)
