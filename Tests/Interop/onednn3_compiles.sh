#!/usr/bin/env bash
# The door to oneDNN compiles against the headers of 3.x and against those installed:
# onednn3_compiles.sh PYTHON
set -euo pipefail
python=$1
root=$(realpath "$(dirname "$(realpath "$0")")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: \
    -d "$work" onednn-devel==2026.1.0
"$python" -m zipfile -e "$work"/onednn_devel-*.whl "$work/wheel"
headers=$(dirname "$(find "$work/wheel" -name dnnl.h | sort | sed -n 1p)")

# compiles MAJOR OPTION...: whether the headers found are of that version and the shim fits them.
compiles() {
    local major=$1
    shift
    printf '#include "%s"\n_Static_assert(DNNL_VERSION_MAJOR == %s, "oneDNN %s");\n' \
        "$root/CSupport/COneDNN/shim.h" "$major" "$major" >"$work/check.c"
    clang -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only "$@" "$work/check.c"
    echo "the shim compiles against oneDNN $major.x"
}

installed=$(printf '#include <dnnl_version.h>\nDNNL_VERSION_MAJOR\n' | clang -E -P -x c - | tail -n 1)
compiles 3 -I"$headers"
compiles "$installed"
