# Sourced by each finding: `with PACKAGE==VERSION ...` runs the Python on standard input with these packages.
set -euo pipefail
export PIP_QUIET=2 PIP_DISABLE_PIP_VERSION_CHECK=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

with() {
    "${PYTHON:-python3}" -m venv "$folder/env"
    "$folder/env/bin/pip" install "$@"
    (cd "$folder" && env/bin/python -W ignore -)
}
