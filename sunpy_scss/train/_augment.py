"""Random changes of training images that leave the label true; pure arrays, seeded."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from sunpy_scss.train._holes import dark_holes

__all__ = ["Augmentation"]


@dataclass(frozen=True)
class Augmentation:
    """
    The sizes of the random changes of an image, its label and its weights together; all are symmetric about no change.

    Attributes
    ----------
    rotation : float
        Largest rotation in degrees. Poles and activity belts should stay recognisable.
    shift : float
        Largest shift in pixels.
    zoom : float
        Largest relative change of scale.
    flip : bool
        Mirror east-west and north-south, each half of the time.
    gain : float
        Largest change of the stretched image as a whole; small, where absolute brightness carries meaning.
    contrast : float
        Largest change of the logarithm of the contrast about ``pivot``.
    pivot : float
        The stretched value that marks the boundary of a feature: as solar activity comes and goes, the quiet Sun
        moves about it, and a changed contrast leaves the labels true.
    blur : float
        Largest Gaussian blur, standard deviation in pixels.
    noise : float
        Largest standard deviation of white noise.
    holes : float
        The mean number of dark holes put into the quiet Sun of an image: for a dark feature of which the images hold
        too few small regions. A hole is labelled as the feature where it is darker than ``pivot``.
    """

    rotation: float = 45.0
    shift: float = 2.0
    zoom: float = 0.02
    flip: bool = True
    gain: float = 0.02
    contrast: float = 0.15
    pivot: float = 0.2
    blur: float = 0.7
    noise: float = 0.02
    holes: float = 0.0

    def __post_init__(self):
        for name, value in vars(self).items():
            if not (np.isfinite(value) and (value >= 0 or name == "pivot")):
                msg = f"In an augmentation, {name} is a finite number that is not negative (got {value})."
                raise ValueError(msg)

    def __call__(self, image, target, rng):
        """
        Return a changed copy of an image and its target.

        Parameters
        ----------
        image : numpy.ndarray
            (ny, nx), stretched to [0, 1].
        target : numpy.ndarray
            (ny, nx, boundaries + 1), labels and weight.
        rng : numpy.random.Generator

        Returns
        -------
        tuple of numpy.ndarray
            float32 image and target of the same shapes.
        """
        if self.holes:
            image, target = dark_holes(image, target, rng.poisson(self.holes), self.pivot, rng)
        return self._move(self._dim(image, rng), target, rng)

    def _dim(self, image, rng):
        contrast = np.exp(rng.uniform(-self.contrast, self.contrast))
        changed = self.pivot + contrast * (image - self.pivot) + rng.uniform(-self.gain, self.gain)
        changed = ndimage.gaussian_filter(changed, rng.uniform(0, self.blur))
        changed += rng.normal(0, rng.uniform(0, self.noise), image.shape)
        # Exact zeros are off the Sun and stay as they are.
        return np.where(image > 0, np.clip(changed, 0, 1), 0).astype(np.float32)

    def _move(self, image, target, rng):
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation))
        scale = 1 + rng.uniform(-self.zoom, self.zoom)
        matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if self.flip:
            matrix = matrix @ np.diag(rng.choice([-1, 1], size=2))
        middle = (np.array(image.shape) - 1) / 2
        offset = middle + rng.uniform(-self.shift, self.shift, size=2) - matrix @ middle

        def move(plane):
            return ndimage.affine_transform(plane, matrix, offset, order=1).astype(np.float32)

        weight = move(target[..., -1])
        # A label counts by its weight: an unknown pixel must not become "no" by interpolation.
        labels = [move(plane * target[..., -1]) for plane in np.moveaxis(target[..., :-1], -1, 0)]
        labels = [np.divide(label, weight, out=np.zeros_like(weight), where=weight > 1e-3) for label in labels]
        return move(image), np.stack([*labels, np.where(weight > 1e-3, weight, 0)], axis=-1)
