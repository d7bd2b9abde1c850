#!/usr/bin/env bash
# pytest 9.0.2 with astropy 7.2.0: a dimensionless Quantity compared with pytest.approx.
# Guess: Quantity(0.5) == approx(0.5) compares numbers, as it does for a float and for a numpy scalar.
# Seen: it calls itself until Python's limit of recursion and raises RecursionError; .value compares.
. "$(dirname "$0")/with.bash"
with "astropy==7.2.0" "numpy==2.3.5" "pytest==9.0.2" <<'PYTHON'
import astropy
import pytest
from astropy.units import Quantity

share = Quantity(0.5)
assert share.value == pytest.approx(0.5)
try:
    share == pytest.approx(0.5)
except RecursionError:
    print(f"astropy {astropy.__version__}, pytest {pytest.__version__}: Quantity == approx raises RecursionError")
else:
    raise SystemExit("it compares")
PYTHON
