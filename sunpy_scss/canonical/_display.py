"""The inverse of the display scale of 8-bit AIA images."""

import numpy as np

__all__ = ["DISPLAY_SCALES", "linearise"]

# The scaling of 8-bit AIA images for display (Helioviewer; for 193 Angstrom also browse images), by wavelength in
# Angstrom: from the index in the colour table to DN/s. It was fitted to FITS files of the same hour, 2017 to 2020.
DISPLAY_SCALES = {
    171: lambda index: (2.2 + 0.147 * index) ** 2,
    193: lambda index: 10 ** (1.33 + 0.00785 * index),
}


def linearise(image, wavelength):
    """Return the DN/s (float32) of an 8-bit AIA image of 171 or 193 Angstrom, whose pixels are display values."""
    return DISPLAY_SCALES[wavelength](np.arange(256)).astype(np.float32)[image]
