# Two words do everything: `make demo` shows it, `make test` proves it. Each builds its own environment first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
PHOTOS ?=
PORT   ?= 8501
COLLECTION ?=
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: setup demo test lint bench soak

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: setup
	$(BIN)/dinoseek demo --port $(PORT) $(if $(PHOTOS),--photos "$(PHOTOS)")

test: setup
	$(BIN)/python -m pytest -m "not soak" -n 3 --dist loadfile --no-loadscope-reorder

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

soak: setup
	$(BIN)/python -m pytest -m soak

bench: setup
	$(BIN)/python -m benchmarks.embed
	$(if $(COLLECTION),$(BIN)/python -m benchmarks.search_overhead --collection "$(COLLECTION)")
