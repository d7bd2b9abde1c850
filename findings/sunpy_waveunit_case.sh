#!/usr/bin/env bash
# sunpy 7.0.5 (8.0.1 alike): the case of a header value.
# Guess: a Map that is saved and read has the header values that it was given.
# Seen: WAVEUNIT = 'Angstrom' of a file comes back from sunpy.map.Map as 'angstrom'; other text keeps its case.
. "$(dirname "$0")/with.bash"
with "sunpy[map]==7.0.5" <<'PYTHON'
import numpy as np
import sunpy
import sunpy.map
from astropy.io import fits

header = fits.Header()
for axis in "12":
    header.update({f"CTYPE{axis}": "HPLN-TAN" if axis == "1" else "HPLT-TAN", f"CUNIT{axis}": "arcsec"})
    header.update({f"CDELT{axis}": 2.4, f"CRPIX{axis}": 8.5, f"CRVAL{axis}": 0.0})
header.update({"DATE-OBS": "2017-01-01T00:00:00", "WAVELNTH": 193.0, "WAVEUNIT": "Angstrom", "CONTENT": "Image"})
header.update({"HGLN_OBS": 0.0, "HGLT_OBS": 0.0, "DSUN_OBS": 1.496e11})
fits.writeto("image.fits", np.ones((16, 16), np.float32), header)
meta = sunpy.map.Map("image.fits").meta
print(f"sunpy {sunpy.__version__}: WAVEUNIT is {meta['waveunit']!r}, CONTENT {meta['content']!r}")
assert (meta["waveunit"], meta["content"]) == ("angstrom", "Image")
PYTHON
