#!/usr/bin/env bash
# sunpy 7.0.5 (8.0.1 alike): importing sunpy.timeseries without its extra.
# Guess: it warns that packages are missing ("may result in errors"), and works for series from a pandas table.
# Seen: it warns, and the import then fails, as the reader of GOES files imports h5netcdf on loading.
. "$(dirname "$0")/with.bash"
with "sunpy[map]==7.0.5" "pandas==2.3.3" <<'PYTHON'
import sunpy

try:
    import sunpy.timeseries
except ModuleNotFoundError as error:
    assert error.name == "h5netcdf", error
    print(f"sunpy {sunpy.__version__}: import sunpy.timeseries fails: {error}")
else:
    raise SystemExit("it imports")
PYTHON
