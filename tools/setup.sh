#!/bin/sh
# Makes .venv with everything Reefpoint runs on, from the lock. Quick when nothing has changed.
# A folder that an interrupted run left, or that was moved, or whose Python is gone, is made anew.
set -eu
cd "$(dirname "$0")/.."
export UV_PYTHON_DOWNLOADS=never
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME || true

stamp=.venv/.complete
wanted="$(pwd) $(cat pyproject.toml requirements-dev.lock tools/setup.sh | cksum)"

say() { printf 'setup: %s\n' "$1" >&2; }

works() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for name in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3 python; do
        if works "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    say "Reefpoint needs Python 3.11 or later and found none as python3.13, python3.12, python3.11 or python3."
    say "Install one, or name it: make setup PYTHON=/path/to/python3"
    exit 1
}

if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && works .venv/bin/python; then
    exit 0
fi

# A complete .venv of this very folder is brought up to date; any other is made anew.
case "$(cat "$stamp" 2>/dev/null)" in
"$(pwd) "*) works .venv/bin/python || rm -rf .venv ;;
*) rm -rf .venv ;;
esac
rm -f "$stamp"

if [ ! -d .venv ]; then
    python=$(find_python)
    say "making .venv with $("$python" --version) from $python"
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --python "$python" .venv
    elif ! "$python" -m venv .venv; then
        rm -rf .venv
        say "this Python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv"
        exit 1
    fi
fi

uv=.venv/bin/uv
if ! command -v "$uv" >/dev/null 2>&1; then
    if command -v uv >/dev/null 2>&1; then
        uv=uv
    else
        say "installing uv"
        awk '/^[^ #]/ { keep = /^uv==/ } keep' requirements-dev.lock >.venv/uv.lock
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
    fi
fi

install() {
    "$uv" pip install --quiet --python .venv/bin/python "$@"
}
say "installing packages from requirements-dev.lock"
if ! install --require-hashes -r requirements-dev.lock; then
    say "trying again with the certificates of this system, in case it is behind a proxy"
    export UV_SYSTEM_CERTS=true
    install --require-hashes -r requirements-dev.lock
fi
install --no-deps --no-build-isolation --editable .

printf '%s\n' "$wanted" >"$stamp"
say "done; the commands are .venv/bin/reefpoint and make help"
