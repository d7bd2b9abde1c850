"""
See that a wheel holds every file of the package's data folder and stays small.

Usage: python check_wheel.py WHEEL
"""

import sys
from pathlib import Path
from zipfile import ZipFile

# Five bundled models of 8 MB.
LARGEST = 42e6

wheel = Path(sys.argv[1])
root = Path(__file__).parents[1]
data = {path.relative_to(root).as_posix() for path in root.glob("sunpy_scss/data/**/*") if path.is_file()}
missing = data - set(ZipFile(wheel).namelist())
size = wheel.stat().st_size

print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(data) - len(missing)} of {len(data)} data files")
if not data:
    sys.exit("sunpy_scss/data is empty: where are the weights?")
if missing:
    sys.exit(f"not in the wheel: {', '.join(sorted(missing))}")
if size > LARGEST:
    sys.exit(f"the wheel is larger than {LARGEST / 1e6:.0f} MB")
