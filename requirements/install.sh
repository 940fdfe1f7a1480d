#!/bin/sh
# Makes what `make` needs: `install.sh run` or `install.sh dev` the environment .venv with the packages of
# that lock file, `install.sh chromium` the browser of the browser tests, `install.sh postgresql` and
# `install.sh mariadb` the servers of the database tests, `install.sh restic` restic and an SFTP server for
# its tests. Does nothing where nothing is to do.
set -eu
cd "$(dirname "$0")/.."
home=$(pwd -P)
venv=$home/.venv

say() { printf '%s\n' "$*" >&2; }
give_up() { say "$*"; exit 1; }
fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
# Packages can be installed by a machine's root where apt is.
can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
apt_install() {
    say "Installing Debian's $* …"
    DEBIAN_FRONTEND=noninteractive apt-get -qq update >/dev/null &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# The first Python that fits: PYTHON when that is set, else whatever the machine has.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || give_up "PYTHON=$PYTHON is not a Python 3.11 or newer$("$PYTHON" --version 2>/dev/null | sed 's/^/: it is /')"
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    give_up "No Python 3.11 or newer was found: install one, or name it, as in PYTHON=/path/to/python3.12 make run"
}

# A usable environment has a Python that fits, and programs that were made for this very folder.
venv_is_good() {
    fits "$venv/bin/python" && head -n 2 "$venv/bin/pip" 2>/dev/null | grep -qF "$venv/bin/python"
}

make_venv() {
    python=$(find_python)
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        can_apt || give_up "$python cannot make virtual environments: install the package $package, then start again"
        apt_install "$package" || give_up "The package $package could not be installed: $python needs it"
    fi
    rm -rf "$venv" 2>/dev/null || give_up "$venv does not work for this user, who cannot replace it either: remove it"
    reason=$("$python" -m venv "$venv" 2>&1) || give_up "$python could not make $venv: $reason"
}

# The lock files that are installed are kept, as copies, in the environment; dev.txt holds all of run.txt.
install() {
    lock=requirements/$1.txt
    cmp -s "$lock" "$venv/$1.txt" && return
    say "Installing the packages of $lock …"
    rm -f "$venv/run.txt" "$venv/dev.txt"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$lock" ||
        give_up "The packages of $lock could not be installed; pip says why above"
    cp "$lock" "$venv/$1.txt"
    [ "$1" = run ] || cp requirements/run.txt "$venv/run.txt"
}

case "${1:-}" in
run | dev)
    venv_is_good || make_venv
    install "$1"
    ;;
chromium)
    command -v chromium >/dev/null && exit 0
    can_apt || give_up "The browser tests need Chromium: install the package chromium, then start again"
    apt_install chromium || give_up "The package chromium could not be installed: the browser tests need it"
    ;;
postgresql)
    for initdb in "${POSTGRESQL:-/usr/lib/postgresql}"/*/bin/initdb; do
        [ ! -x "$initdb" ] || exit 0
    done
    command -v initdb >/dev/null && exit 0
    can_apt || give_up "The database tests need PostgreSQL: install the package postgresql, then start again"
    # Without this file the package starts a server of its own; the tests want its programs alone.
    settings=${POSTGRESQL_SETTINGS:-/etc/postgresql-common}
    [ -d "$settings" ] || {
        mkdir "$settings"
        echo "create_main_cluster = false" > "$settings/createcluster.conf"
    }
    apt_install postgresql || give_up "The package postgresql could not be installed: the database tests need it"
    ;;
mariadb)
    missing=
    for program in mariadbd mariadb-install-db mariadb-dump mariadb-backup; do
        PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$program" >/dev/null || missing=1
    done
    [ -n "$missing" ] || exit 0
    # The package mariadb-server would start a server of its own; the tests want the programs alone.
    packages="mariadb-server-core mariadb-client mariadb-backup"
    can_apt || give_up "The database tests need MariaDB: install the packages $packages, then start again"
    apt_install $packages || give_up "The packages $packages could not be installed: the database tests need them"
    ;;
restic)
    missing=
    for program in restic sshd ssh-keygen; do
        PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || missing=1
    done
    [ -n "$missing" ] || exit 0
    packages="restic openssh-server openssh-client"
    can_apt || give_up "The tests of the plugin restic need the packages $packages: install them, then start again"
    apt_install $packages || give_up "The packages $packages could not be installed: the tests of restic need them"
    ;;
busybox)
    command -v busybox >/dev/null && exit 0
    can_apt || give_up "The tests of files in pods need BusyBox: install the package busybox, then start again"
    apt_install busybox || give_up "The package busybox could not be installed: the tests of files in pods need it"
    ;;
*) give_up "usage: sh requirements/install.sh run|dev|chromium|postgresql|mariadb|restic|busybox" ;;
esac
