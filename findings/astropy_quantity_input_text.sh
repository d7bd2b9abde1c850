#!/usr/bin/env bash
# astropy 7.2.0: quantity_input in a file that imports annotations from __future__.
# Guess: hints that are text, and name no unit, are left alone as those that are objects are.
# Seen: each of them is read as a unit, so that the call raises ValueError for a hint as plain as a class.
. "$(dirname "$0")/with.bash"
with "astropy==7.2.0" "numpy==2.3.5" <<'PYTHON'
from __future__ import annotations

import astropy
import astropy.units as u


class Image:
    pass


@u.quantity_input
def width(image: Image, *, angle: u.Quantity[u.deg] = 1 * u.deg):
    return angle


try:
    width(Image())
except (TypeError, ValueError) as error:
    print(f"astropy {astropy.__version__}: {type(error).__name__}: {str(error)[:70]}")
else:
    raise SystemExit("the hint is left alone")
PYTHON
