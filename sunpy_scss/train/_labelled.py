"""An image and its labels, as Maps or as files."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

import sunpy.map

__all__ = ["LabelledFiles", "LabelledMap"]


@dataclass(frozen=True)
class LabelledMap:
    """
    An image and its labels.

    Attributes
    ----------
    key : str
        The name of the image in messages.
    image : sunpy.map.GenericMap
    mask : sunpy.map.GenericMap
        1 inside the feature, on the WCS of the image.
    rejected : sunpy.map.GenericMap, optional
        1 inside hard negatives, which must not be taken for the feature.
    further_images : tuple of sunpy.map.GenericMap
        Images of the same time at other wavelengths, for models of several channels; on any pixels.
    """

    key: str
    image: sunpy.map.GenericMap
    mask: sunpy.map.GenericMap
    rejected: sunpy.map.GenericMap | None = None
    further_images: tuple = ()

    def read(self) -> Self:
        return self

    def source(self) -> str:
        """Return a fingerprint of this image and its labels, which changes with them."""
        maps = [smap for smap in (self.image, self.mask, self.rejected, *self.further_images) if smap is not None]
        parts = [part for smap in maps for part in (repr(sorted(smap.meta.items())), np.ascontiguousarray(smap.data))]
        return _fingerprint(parts)


@dataclass(frozen=True)
class LabelledFiles:
    """
    The files of an image and its labels, read when they are needed.

    Attributes
    ----------
    key : str
        The name of the image in messages.
    image, mask : path-like
        Files that `sunpy.map.Map` reads as one Map each.
    rejected : path-like, optional
    further_images : tuple of path-like
    """

    key: str
    image: Path
    mask: Path
    rejected: Path | None = None
    further_images: tuple = ()

    def read(self) -> LabelledMap:
        """
        Read the files.

        Returns
        -------
        LabelledMap
        """
        image, mask = sunpy.map.Map(self.image), sunpy.map.Map(self.mask)
        rejected = None if self.rejected is None else sunpy.map.Map(self.rejected)
        return LabelledMap(self.key, image, mask, rejected, tuple(sunpy.map.Map(path) for path in self.further_images))

    def source(self) -> str:
        """Return a fingerprint of this image and its labels, which changes with the files, without reading them."""
        files = (self.image, self.mask, self.rejected, *self.further_images)
        paths = [Path(path).resolve() for path in files if path is not None]
        return _fingerprint(f"{path}:{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in paths)


def _fingerprint(parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()
