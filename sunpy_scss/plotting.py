"""Figures: masks over the images that they were drawn from."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize

__all__ = ["overlay"]

_COLORS = {"CH": "deepskyblue", "AR": "red"}


def overlay(smap, *masks, axes=None):
    """
    A Map with the outlines of masks on it.

    Parameters
    ----------
    smap : sunpy.map.GenericMap
    *masks : sunpy.map.GenericMap
        On the WCS of ``smap``; coronal holes blue, active regions red, by the header key SCSSFEAT.
    axes : astropy.visualization.wcsaxes.WCSAxes, optional
        Where to draw; new ones with the projection of ``smap`` by default.

    Returns
    -------
    astropy.visualization.wcsaxes.WCSAxes

    Examples
    --------
    >>> from sunpy_scss import segment_coronal_holes
    >>> from sunpy_scss.images import example_map
    >>> from sunpy_scss.plotting import overlay
    >>> smap = example_map(193)
    >>> axes = overlay(smap, segment_coronal_holes(smap))
    """
    if axes is None:
        axes = plt.figure(layout="constrained").add_subplot(projection=smap)
    # Pixels of 8 bits are scaled for display already.
    smap.plot(axes=axes, **({"norm": Normalize(0, 255)} if smap.data.dtype == np.uint8 else {}))
    for mask in masks:
        if mask.data.any():  # a level that nothing reaches would warn
            axes.contour(np.asarray(mask.data), levels=[0.5], colors=_COLORS.get(mask.meta.get("SCSSFEAT"), "white"))
    return axes
