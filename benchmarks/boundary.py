"""
Where the outline of coronal holes should run: the evidence behind the default boundary, in dex of intensity.

    python benchmarks/boundary.py programs MASKS FOLDER [--model NAME]
    python benchmarks/boundary.py valley FOLDER

MASKS is an npz file with ``files``, names of FITS files in FOLDER, and for each program what it drew on them
(`numpy.packbits` along the last axis). The first table gives the mean IoU of the model's outline, and of the rule of
threshold_coronal_holes at the same intensity, with what each program drew and with what so many of them agree on.
The second one looks at labelled images (images/, masks/, index.csv; 512 pixels, half-width 1.25): around each hole of
500 Mm2 or more, where in dex is the valley between the hole and the quiet Sun in the histogram of log intensity?
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from astropy.io import fits
from labels_rules import limb_darkened_dex
from scipy import ndimage

import astropy.units as u

from sunpy_scss import load_model, segment_coronal_holes
from sunpy_scss.images import read_map
from sunpy_scss.segment import threshold_coronal_holes


if __name__ == "__main__":
    main()
