# Every task has one name here; CMake presets do the work beneath. `make help` lists them.
# The first four are all that a user needs.

BUILD := build/release
CONFIGURE = cmake --preset $(1) > build/$(1).configure.log 2>&1 || { cat build/$(1).configure.log; exit 1; }

.PHONY: help run test build install package bench bench-balance sim fuzz check asan tsan format clean setup

help:
	@echo "make run [FILE=...]  ship this machine's logs, or FILE, to three endpoints, one of which dies on the way"
	@echo "make test            build everything and run every test"
	@echo "make build           the program, at $(BUILD)/bin/windlass"
	@echo "make install         into PREFIX (default /usr/local)"
	@echo "make package         Debian packages of the program and of the library, in $(BUILD)"
	@echo "make bench           events per second and CPU per event"
	@echo "make bench-balance   policies for handing out, compared in modelled worlds; ARGS=--quick"
	@echo "make sim             simulate for SECONDS (default 60)"
	@echo "make fuzz            fuzz each target for SECONDS (default 30)"
	@echo "make check           formatting, layers, clang-tidy"
	@echo "make asan, tsan      the tests under sanitizers"

setup:
	@scripts/setup

build/%/CMakeCache.txt: CMakeLists.txt CMakePresets.json | setup
	@mkdir -p build
	@$(call CONFIGURE,$*)

build: build/release/CMakeCache.txt
	@cmake --build --preset release --target windlass_program

run: build
	@scripts/run $(FILE)

test: build/release/CMakeCache.txt
	@cmake --build --preset release
	@ctest --preset release

install: build/release/CMakeCache.txt
	@cmake --build --preset release --target windlass windlass_program
	@cmake --install $(BUILD) --prefix $(or $(PREFIX),/usr/local)

package: build/release/CMakeCache.txt
	@cmake --build --preset release --target windlass windlass_program
	@cd $(BUILD) && cpack

bench: build/release/CMakeCache.txt
	@cmake --build --preset release
	@scripts/bench

bench-balance: build/release/CMakeCache.txt
	@cmake --build --preset release --target bench_balance
	@$(BUILD)/bin/bench_balance $(ARGS)

sim: build/release/CMakeCache.txt
	@cmake --build --preset release --target windlass-sim
	@$(BUILD)/bin/windlass-sim --seconds $(or $(SECONDS),60)

fuzz: build/asan/CMakeCache.txt
	@cmake --build --preset fuzz
	@scripts/fuzz $(or $(SECONDS),30)

asan tsan: %: build/%/CMakeCache.txt
	@cmake --build --preset $@
	@ctest --preset $@

check: build/release/CMakeCache.txt
	@scripts/check

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format-14 -i

clean:
	@rm -rf build
