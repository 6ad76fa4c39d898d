# make run    set up and open the app          make test    set up and run every test
# make bench  print the measurements            make lint    ruff, mypy, import linter
# make format tidy the code

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: run test bench lint format browser clean

run: $(VENV)/.installed
	@$(BIN)/python app.py $(ARGS)

test: $(VENV)/.installed-dev browser
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder $(ARGS)

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Zeroshelf needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@command -v c++ >/dev/null || { echo "A C++ compiler is needed to build llama.cpp (Debian: apt-get install g++; macOS: xcode-select --install)."; exit 1; }
	@echo "Setting up: making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "Setting up: installing the requirements and building llama.cpp: 5 to 12 minutes, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
	@echo "Setting up: done."

$(VENV)/.installed-dev: requirements-dev.txt requirements-distributed.txt $(VENV)/.installed
	@echo "Setting up: installing the test tools ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -r requirements-distributed.txt
	@touch $@

# Chromium draws the page in the browser tests, the font its Korean text.
browser:
	@missing=""; \
	[ -n "$$ZEROSHELF_CHROMIUM" ] || [ -x /usr/bin/chromium ] || missing="chromium"; \
	fc-list :lang=ko 2>/dev/null | grep -q . || [ "$$(uname)" != Linux ] || missing="$$missing fonts-nanum fontconfig"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Setting up: installing $$missing with apt ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	else \
		echo "The browser tests need: $$missing. Install them (as root: apt-get install $$missing), or name a Chromium in ZEROSHELF_CHROMIUM."; \
		[ -x /usr/bin/chromium ] || [ -n "$$ZEROSHELF_CHROMIUM" ]; \
	fi

clean:
	rm -rf $(VENV)
