#!/usr/bin/env bash
# Files written here, read by others: run.sh SMARTDEAL PYTHON
set -euo pipefail
smartdeal=$(realpath "$1")
python=$2
here=$(dirname "$(realpath "$0")")
fixtures=$here/../Fixtures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for model in fashion_resnet20/fashion_resnet20 oracle/weights; do
    for options in "" "--mode reference --prune 0.4 --row-sparsity" "--mode fast" "--bits 3.2" \
        "--prune 0.5 --basis-bits 32"; do
        original=$fixtures/$model.safetensors
        # shellcheck disable=SC2086
        "$smartdeal" compress "$original" -o "$work/small.safetensors" $options --json --quiet >"$work/report.json"
        "$smartdeal" restore "$work/small.safetensors" -o "$work/restored.safetensors" --quiet >/dev/null
        echo "$model ${options:-default}"
        "$python" "$here/restored_loads_in_torch.py" "$original" "$work/restored.safetensors" \
            --max-error 1 --report "$work/report.json"
        "$python" "$here/decode_compressed.py" "$work/small.safetensors" "$work/restored.safetensors"
    done
done
