# Sourced by ./test: makes .venv and keeps it true to pyproject.toml. Sets $venv.
# A stamp of pyproject.toml's own hash lets the second run start at once.

say() { printf '%s\n' "$*" >&2; }

find_python() {
  for candidate in "${SCUMBLE_PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    command -v "$candidate"
    return 0
  done
  say "Scumble needs Python 3.11 or newer, and none is on the PATH: install it, or set SCUMBLE_PYTHON to its path."
  return 1
}

# prepare_venv EXTRAS   EXTRAS: "" or "[dev]"
prepare_venv() {
  venv=.venv
  local stamp="$venv/.scumble-ready$1" wanted python
  wanted=$(cat pyproject.toml tools/setup.sh | sha256sum | cut -d' ' -f1)
  # What was installed for ./test serves ./run as well.
  for ready in "$stamp" "$venv/.scumble-ready[dev]"; do
    if [ -x "$venv/bin/python" ] && [ "$(cat "$ready" 2>/dev/null)" = "$wanted" ]; then return 0; fi
  done
  if [ ! -x "$venv/bin/python" ]; then
    python=$(find_python) || return 1
    say "Making $venv with $python ..."
    if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
      rm -rf "$venv"
      say "Python's venv module does not work here: on Debian and Ubuntu install it with 'apt install python3-venv', then try again."
      return 1
    fi
  fi
  say "Installing Scumble and what it needs into $venv (a minute or two, several GB on x86-64 Linux) ..."
  if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 5 --timeout 60 \
      --editable ".$1" 2>"$venv/pip.log"; then
    grep -v '^WARNING: Location' "$venv/pip.log" | tail -n 15 >&2
    say "The packages could not be installed: the lines above say why (all of it: $venv/pip.log). Nothing outside $venv was changed; run this again."
    return 1
  fi
  printf '%s' "$wanted" >"$stamp"
}
