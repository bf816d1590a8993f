#!/usr/bin/env bash
# Files written here, read by others, and theirs read here: run.sh SMARTDEAL PYTHON
#
# PYTHON has the packages of requirements.txt. Networks exported by torch take part when it can import
# torch; SMARTDEAL_TORCH may say what pip shall install (a requirement, or the path of a wheel).
set -euo pipefail
smartdeal=$(realpath "$1")
python=$2
here=$(dirname "$(realpath "$0")")
fixtures=$here/../Fixtures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# step NAME COMMAND...: one line; everything that the command said only when it fails.
step() {
    local name=$1 start=$SECONDS
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "ok      $name: $(tail -n 1 "$work/log") ($((SECONDS - start)) s)"
    else
        echo "FAILED  $name"
        sed 's/^/        /' "$work/log"
        failed=1
    fi
}

has() { "$python" -c "import $1" 2>/dev/null; }

# A CPU wheel found on the machine. PyPI's own torch would bring gigabytes for graphics cards.
cpu_wheel() {
    local version
    version=$("$python" -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
    timeout 10 find / -xdev -maxdepth 4 -name "torch-*cpu*-$version-*.whl" 2>/dev/null | head -n 1
}

install_torch() {
    local torch=${SMARTDEAL_TORCH:-$(cpu_wheel || true)}
    if ! has torch && [ -n "$torch" ]; then
        "$python" -m pip install -q --disable-pip-version-check "$torch" onnxscript==0.7.2 >"$work/log" 2>&1 ||
            sed 's/^/        /' "$work/log"
    fi
    if ! has torch; then
        echo "skipped: torch is not installed: networks that it exports, loading of restored weights, training"
    elif ! has onnxscript; then
        echo "skipped: onnxscript is not installed: networks of torch's newer exporter"
    fi
}

# round_trip ORIGINAL OPTIONS: compress, restore; the values, and that torch loads them.
round_trip() {
    # shellcheck disable=SC2086
    "$smartdeal" compress "$1" -o "$work/small.safetensors" $2 --json --quiet >"$work/report.json" &&
        "$smartdeal" restore "$work/small.safetensors" -o "$work/restored.safetensors" --quiet >/dev/null &&
        "$python" "$here/restored_loads_in_torch.py" "$1" "$work/restored.safetensors" \
            --max-error 1 --report "$work/report.json" &&
        "$python" "$here/decode_compressed.py" "$work/small.safetensors" "$work/restored.safetensors"
}

step "oneDNN headers, 2 and 3" "$here/onednn3_compiles.sh" "$python"
install_torch
for model in fashion_resnet20/fashion_resnet20 oracle/weights; do
    for options in "" "--mode reference --prune 0.4 --row-sparsity" "--mode fast" "--bits 3.2" \
        "--prune 0.5 --basis-bits 32"; do
        step "safetensors $model ${options:-default}" round_trip "$fixtures/$model.safetensors" "$options"
    done
done
if has torch; then
    step "steps in SmartDeal form" "$python" "$here/sd_step_like_pytorch.py" --check
fi
step "other people's ONNX models" "$python" "$here/runs_like_onnxruntime.py" "$smartdeal"
step "our ONNX files" "$python" "$here/our_files_in_onnxruntime.py" "$smartdeal" --quick
for file in "$fixtures"/fashion_resnet20/*.onnx; do
    [ -e "$file" ] || continue
    step "ONNX $(basename "$file")" "$python" "$here/our_files_in_onnxruntime.py" "$smartdeal" --files "$file"
done
step "networks on bytes" "$python" "$here/bytes_in_onnxruntime.py" "$smartdeal" \
    "$fixtures/fashion_resnet20/fashion_resnet20.onnx" "$fixtures/fashion_mnist_2000"
step "training survives kill -9" "$python" "$here/kill_training.py" "$smartdeal" --kills 3
if has torch; then
    step "training against torch" "$python" "$here/training_follows_pytorch.py" "$smartdeal"
    step "one step of the built-in networks" "$python" "$here/one_step_like_pytorch.py" "$smartdeal"
fi
exit $failed
