#!/usr/bin/env bash
# Proves install.sh in a fresh Debian made by debootstrap: first installation, second run, upgrade,
# refusal of a broken program, uninstall, purge; and the service file with systemd-analyze. The first part
# runs without systemd, the upgrade under the real one (boot.sh), where this machine permits.
#
# Usage: tests/install/install.sh BINARY    (as root; the clean Debian is kept in target/ for the next time)

set -euo pipefail

HERE=$(cd "$(dirname "$0")/../.." && pwd)
readonly HERE
readonly EXPOSURE_LIMIT=15 # tenths: systemd-analyze compares ten times the figure it prints
readonly UNIT=$HERE/packaging/mailhatch.service
export LC_ALL=C

binary=$(readlink -f "${1:?usage: tests/install/install.sh BINARY}")
work=
guest=
cgroup=
init=
serve=
checks=0

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    if [ -n "$work" ] && [ -s "$work/out" ]; then sed 's/^/    | /' "$work/out" >&2; fi
    if [ -n "$work" ] && [ -s "$work/serve.log" ]; then tail -n 20 "$work/serve.log" | sed 's/^/    > /' >&2; fi
    if [ -n "$init" ]; then in_guest journalctl --unit mailhatch --lines 20 --no-pager --output cat | sed 's/^/    # /' >&2; fi
    exit 1
}

passed() { checks=$((checks + 1)) && printf '  ok  %s\n' "$*"; }

# check SENTENCE COMMAND…: the sentence is what the command proves.
check() {
    local sentence=$1
    shift
    if "$@"; then passed "$sentence"; else fail "$sentence"; fi
}

# ---- The clean machine ---------------------------------------------------------------------------

suite() {
    local id codename
    id=$(sed -n 's/^ID=//p' /etc/os-release)
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # The program was built here, so it needs a C library no older than the one here.
    if [ "$id" = debian ] && [ -n "$codename" ]; then echo "$codename"; else echo bookworm; fi
}

# The mirror this machine uses for its own packages, in either form of apt's lists.
mirror() {
    local found
    found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        grep -v '^ *#' | grep -oE 'https?://[^ ]*/debian/?( |$)' | head -n 1 | tr -d ' ')
    echo "${found:-http://deb.debian.org/debian}"
}

use_apt_proxy() {
    local Proxy=
    eval "$(apt-config shell Proxy Acquire::http::Proxy)"
    if [ -n "$Proxy" ] && [ "$Proxy" != DIRECT ]; then export http_proxy=$Proxy; fi
}

clean_debian() {
    local cache
    cache=${CARGO_TARGET_DIR:-$HERE/target}/install-test/debian-$(suite)-systemd-$(dpkg --print-architecture).tar
    if [ -z "$(find "$cache" -mtime -30 2>/dev/null)" ]; then
        printf '  making a clean Debian %s from %s (once; kept as %s)\n' "$(suite)" "$(mirror)" "$cache"
        mkdir -p "$(dirname "$cache")"
        use_apt_proxy
        debootstrap --variant=minbase --include=systemd,curl "$(suite)" "$work/fresh" "$(mirror)" >"$work/out" 2>&1 || fail "debootstrap"
        rm -rf "$work/fresh/var/cache/apt/archives" "$work/fresh/var/lib/apt/lists"
        tar -C "$work/fresh" -cf "$cache.part" . && mv "$cache.part" "$cache"
        rm -rf "$work/fresh"
        : >"$work/out"
    fi
    mkdir "$guest"
    tar -C "$guest" -xf "$cache"
}

copy_release() {
    mkdir -p "$guest/root/release"
    cp -r "$HERE/install.sh" "$HERE/packaging" "$guest/root/release/"
    cp "$binary" "$guest/root/release/mailhatch"
    chmod 755 "$guest/root/release/mailhatch"
}

# in_guest COMMAND…: in the chroot, and once it is booted among its own processes.
in_guest() {
    local enter=(chroot "$guest")
    if [ -n "$init" ]; then enter=(nsenter --target "$init" --mount --pid --uts --ipc --cgroup); fi
    "${enter[@]}" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$@"
}

# installer ARGUMENTS…: its words go to $work/out.
installer() { in_guest sh /root/release/install.sh "$@" >"$work/out" 2>&1; }
refused_with() { local status=0 && installer "${@:2}" || status=$? && [ "$status" -eq "$1" ]; }
said() { grep -qF -- "$1" "$work/out"; }

# Path, inode, times, owner, mode and content of all that install.sh may touch.
picture() {
    (cd "$guest" && find etc/mailhatch etc/systemd/system usr/local/bin var/lib/mailhatch etc/passwd etc/group etc/shadow \
        ! -type d -printf '%p %i %T@ %C@ %u %g %m\n' 2>/dev/null | sort && md5sum etc/mailhatch/* usr/local/bin/mailhatch 2>/dev/null)
}

unchanged_by() {
    local before
    before=$(picture)
    "$@" && [ "$before" = "$(picture)" ]
}

mode_of() { in_guest stat -c '%a %U:%G' "$1"; }
has_mode() { [ "$(mode_of "$1")" = "$2" ]; }

# ---- The real systemd ----------------------------------------------------------------------------

# Status 1 where it cannot be booted, as in most containers: no writable control groups there.
boot_guest() {
    local groups
    groups=$(findmnt --noheadings --types cgroup2 --output TARGET | head -n 1)
    [ -n "$groups" ] && mkdir "$groups/mailhatch-install-test-$$" 2>/dev/null || return 1
    cgroup=$groups/mailhatch-install-test-$$
    "$HERE/tests/install/boot.sh" "$guest" "$cgroup" >"$work/boot.log" 2>&1 &
    booter=$!
    for _ in $(seq 60); do
        # The first process inside is the one child of unshare.
        init=$(ps -o pid= --ppid "$booter" | tr -d ' ') || init=
        if [ -n "$init" ] && in_guest systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded|starting' &&
            in_guest systemctl is-active --quiet sysinit.target; then
            return 0
        fi
        kill -0 "$booter" 2>/dev/null || break
        sleep 0.5
    done
    halt_guest
    return 1
}

# Killing the first process ends all others inside and their mounts.
halt_guest() {
    if [ -n "$init" ]; then kill -KILL "$init" 2>/dev/null || true; fi
    init=
    if [ -n "${booter:-}" ]; then
        kill -KILL "$booter" 2>/dev/null || true
        wait "$booter" 2>/dev/null || true
        booter=
    fi
    if [ -n "$cgroup" ]; then
        for _ in $(seq 20); do
            find "$cgroup" -depth -type d -exec rmdir {} \; 2>/dev/null || true
            [ -d "$cgroup" ] || break
            sleep 0.2
        done
        cgroup=
    fi
}

service_says() { [ "$(in_guest systemctl show mailhatch --property "$1" --value)" = "$2" ]; }
service_pid() { in_guest systemctl show mailhatch --property MainPID --value; }
# has_status PATTERN: a line of the kernel's account of the running service.
has_status() { in_guest grep -qE "$1" "/proc/$(service_pid)/status"; }

# ---- The running program -------------------------------------------------------------------------

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port FROM: one of the ten thousand, or below 1024 of the four hundred, that follow.
free_port() {
    local port span=10000
    if [ "$1" -lt 1024 ]; then span=400; fi
    while port=$(($1 + RANDOM % span)) && ! port_is_free "$port"; do :; done
    echo "$port"
}

healthy() { [ "$(curl --silent --noproxy '*' --max-time 5 "http://127.0.0.1:$port/healthz")" = ok ]; }

becomes_healthy() {
    for _ in $(seq 120); do
        if healthy; then return 0; fi
        # Dead already: no use waiting.
        if [ -n "$serve" ] && ! kill -0 "$serve" 2>/dev/null; then return 1; fi
        sleep 0.5
    done
    return 1
}

version_answers() { in_guest mailhatch version >"$work/out" 2>&1 && said mailhatch; }

# stops_in_order PID: SIGTERM ends it with status 0 within the 45 seconds it promises.
stops_in_order() {
    local status=0
    kill -TERM "$1"
    for _ in $(seq 90); do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.5
    done
    if kill -0 "$1" 2>/dev/null; then return 1; fi
    wait "$1" || status=$?
    [ "$status" -eq 0 ]
}

clean_up() {
    halt_guest
    if [ -n "$serve" ]; then kill -KILL "$serve" 2>/dev/null || true; fi
    if [ -n "$work" ]; then rm -rf --one-file-system "$work"; fi
}

# ---- What is proved ------------------------------------------------------------------------------

service_file_is_sound() {
    sed "s|^ExecStart=/usr/local/bin/mailhatch|ExecStart=$binary|" "$UNIT" >"$work/mailhatch.service"
    systemd-analyze verify "$work/mailhatch.service" >"$work/out" 2>&1 || true
    check "systemd-analyze verify has nothing to say about the service" test ! -s "$work/out"
    check "the service's exposure is at most 1.5" \
        systemd-analyze security --offline=true --no-pager --threshold=$EXPOSURE_LIMIT "$UNIT" >"$work/exposure"
    passed "$(grep -o 'Overall exposure.*: [0-9.]*' "$work/exposure")"
}

dry_run_changes_nothing() {
    check "a dry run on a clean machine changes nothing" unchanged_by installer --dry-run
    check "it tells what it would do" said "would make the system user mailhatch"
    check "there is still no user" test "$(in_guest getent passwd mailhatch)" = ""
}

wrong_usage_is_refused() {
    check "an unknown option is wrong usage" refused_with 2 --frobnicate
    check "--purge without its word is wrong usage" refused_with 2 --uninstall --purge yes
    check "a port that is none is wrong usage" refused_with 2 --listen 127.0.0.1:99999
    check "an address with a path is wrong usage" refused_with 2 --url https://example.org/inbox
    check "a missing program is told" refused_with 1 --binary /root/absent
}

first_installation() {
    check "the first installation succeeds" installer --url https://inbox.example.org --listen "127.0.0.1:$port"
    check "without systemd it says so and goes on" said "systemd is not running here"
    check "the program is root's and runs" has_mode /usr/local/bin/mailhatch "755 root:root"
    check "'mailhatch version' answers" version_answers
    check "the settings are for root and the service" has_mode /etc/mailhatch/mailhatch.env "640 root:mailhatch"
    check "so is the key" has_mode /etc/mailhatch/mailhatch.key "640 root:mailhatch"
    check "the key is 32 bytes" test "$(base64 -d "$guest/etc/mailhatch/mailhatch.key" | wc -c)" -eq 32
    check "the settings folder is closed to others" has_mode /etc/mailhatch "750 root:mailhatch"
    check "the data folder is the service's" has_mode /var/lib/mailhatch "750 mailhatch:mailhatch"
    check "the service file is in place" cmp -s "$UNIT" "$guest/etc/systemd/system/mailhatch.service"
    check "the user cannot log in" grep -q '^mailhatch:.*:/var/lib/mailhatch:/usr/sbin/nologin$' "$guest/etc/passwd"
    check "the user is a system user" test "$(in_guest id -u mailhatch)" -lt 1000
    check "--url is in the settings" grep -qx 'MAILHATCH_URL=https://inbox.example.org' "$guest/etc/mailhatch/mailhatch.env"
    check "--listen is in the settings" grep -qx "MAILHATCH_LISTEN=127.0.0.1:$port" "$guest/etc/mailhatch/mailhatch.env"
}

program_serves() {
    chroot --userspec=mailhatch:mailhatch "$guest" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/nonexistent \
        sh -c 'set -a; . /etc/mailhatch/mailhatch.env; cd /var/lib/mailhatch && exec mailhatch serve' >"$work/serve.log" 2>&1 &
    serve=$!
    check "started by hand as the service's user, it answers on /healthz" becomes_healthy
    check "SIGTERM stops it in order" stops_in_order "$serve"
    serve=
}

second_run_changes_nothing() {
    check "a second run touches no file" unchanged_by installer
    check "and says so" said "nothing to change"
    check "a differing --url leaves the settings alone" unchanged_by installer --url https://other.example.org
    check "and tells how to change them" said "MAILHATCH_URL=https://other.example.org"
    chmod 644 "$guest/etc/mailhatch/mailhatch.key"
    check "a key open to others is mended" installer
    check "the key is closed again" has_mode /etc/mailhatch/mailhatch.key "640 root:mailhatch"
}

lost_key_is_not_replaced() {
    mv "$guest/etc/mailhatch/mailhatch.key" "$work/key"
    touch -a "$guest/var/lib/mailhatch/mailhatch.db"
    check "a database without its key gets no new key" refused_with 1
    check "the message says what to do" said "Put that key back"
    check "no key was made" test ! -e "$guest/etc/mailhatch/mailhatch.key"
    mv "$work/key" "$guest/etc/mailhatch/mailhatch.key"
}

runs_as_a_service() {
    check "where systemd runs, the service is started" installer
    check "install.sh waited until it answered" said "it answers on http://127.0.0.1:$port/healthz"
    check "it answers" healthy
    check "it starts with the machine" in_guest systemctl is-enabled --quiet mailhatch
    check "it said by itself that it is ready" service_says Type notify
    check "it has not been restarted by systemd" service_says NRestarts 0
    check "it runs as its own user" has_status "^Uid:[[:space:]]+$(in_guest id -u mailhatch)[[:space:]]"
    check "it has no privileges" has_status '^CapBnd:[[:space:]]+0+$'
    check "it cannot gain any" has_status '^NoNewPrivs:[[:space:]]+1$'
    check "its system calls are filtered" has_status '^Seccomp:[[:space:]]+2$'
    check "a further run changes nothing" unchanged_by installer
    check "and says so" said "nothing to change"
}

upgrade() {
    local pid=
    if [ -n "$init" ]; then pid=$(service_pid); fi
    # The same program with a tail: another file that runs alike.
    printf '\n# another build\n' >>"$guest/root/release/mailhatch"
    check "a dry run of an upgrade changes nothing" unchanged_by installer --dry-run
    check "it tells what it would do" said "would install /usr/local/bin/mailhatch"
    check "another build is installed" installer
    check "the new program is in place" cmp -s "$guest/root/release/mailhatch" "$guest/usr/local/bin/mailhatch"
    check "the one before is kept" cmp -s "$binary" "$guest/usr/local/bin/mailhatch.previous"
    if [ -n "$init" ]; then
        check "the service was restarted" test "$(service_pid)" != "$pid"
        check "the old one had stopped in order" service_says Result success
        check "it answers after the upgrade" healthy
        pid=$(service_pid)
    fi
    printf '#!/bin/sh\necho broken\nexit 1\n' >"$guest/root/release/mailhatch"
    check "a program that does not run is refused, nothing touched" unchanged_by refused_with 1
    check "the reason is told" said "does not run on this machine"
    if [ -n "$init" ]; then check "the service was left alone" test "$(service_pid)" = "$pid"; fi
}

settings_mistake_is_told() {
    set_listen nowhere
    cp "$binary" "$guest/root/release/mailhatch"
    check "an upgrade onto a mistake in the settings fails" refused_with 1
    check "the message names the log" said "journalctl -u mailhatch"
    check "systemd does not try again and again" service_says NRestarts 0
    set_listen "127.0.0.1:$port"
    check "with the mistake mended a further run starts it" installer
    check "it answers again" healthy
}

set_listen() { sed -i "s/^MAILHATCH_LISTEN=.*/MAILHATCH_LISTEN=$1/" "$guest/etc/mailhatch/mailhatch.env"; }

# The drop-in stands in the document; this takes it from there.
low_port_as_documented() {
    local high=$port drop_in=$guest/etc/systemd/system/mailhatch.service.d
    port=$(free_port 600)
    mkdir "$drop_in"
    sed -n '/^\[Service\]$/,/^PrivateUsers=/p' "$HERE/docs/OPERATIONS.md" >"$drop_in/port.conf"
    set_listen "127.0.0.1:$port"
    in_guest systemctl daemon-reload
    check "with the documented drop-in the service starts on a port below 1024" in_guest systemctl restart mailhatch
    check "it answers there" becomes_healthy
    rm -r "$drop_in"
    port=$high
    set_listen "127.0.0.1:$port"
    in_guest systemctl daemon-reload
    in_guest systemctl restart mailhatch
}

removal() {
    local key
    key=$(cat "$guest/etc/mailhatch/mailhatch.key")
    check "a dry run of the removal changes nothing" unchanged_by installer --uninstall --dry-run
    check "uninstall succeeds" installer --uninstall
    check "the program is gone" test ! -e "$guest/usr/local/bin/mailhatch"
    check "the program before is gone" test ! -e "$guest/usr/local/bin/mailhatch.previous"
    check "the service file is gone" test ! -e "$guest/etc/systemd/system/mailhatch.service"
    check "nothing listens any more" port_is_free "$port"
    check "the data stays" test -e "$guest/var/lib/mailhatch/mailhatch.db"
    check "the key stays" test "$(cat "$guest/etc/mailhatch/mailhatch.key")" = "$key"
    check "a second uninstall has nothing to do" installer --uninstall
    check "and says so" said "nothing to remove"
    check "purge with its word succeeds" installer --uninstall --purge delete-all-mail
    check "the data is gone" test ! -e "$guest/var/lib/mailhatch"
    check "settings and key are gone" test ! -e "$guest/etc/mailhatch"
    check "the user is gone" test "$(in_guest getent passwd mailhatch)" = ""
}

image_build() {
    cp "$binary" "$guest/root/release/mailhatch"
    mkdir "$guest/root/image"
    check "--root fills a folder" installer --root /root/image
    check "the program is in it" test -x "$guest/root/image/usr/local/bin/mailhatch"
    check "the machine itself has none" test ! -e "$guest/usr/local/bin/mailhatch"
    check "and no user" test "$(in_guest getent passwd mailhatch)" = ""
}

main() {
    [ "$(id -u)" -eq 0 ] || fail "this test must run as root: it makes a chroot"
    [ -x "$binary" ] || fail "'$binary' is no program"
    work=$(mktemp -d)
    guest=$(readlink -f "$work")/guest
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    clean_debian
    copy_release
    port=$(free_port 20000)

    service_file_is_sound
    dry_run_changes_nothing
    wrong_usage_is_refused
    first_installation
    program_serves
    second_run_changes_nothing
    lost_key_is_not_replaced
    if boot_guest; then
        runs_as_a_service
        upgrade
        settings_mistake_is_told
        low_port_as_documented
    else
        printf '  skipped: systemd cannot be booted here, so the service was not tried under it\n'
        upgrade
    fi
    removal
    halt_guest
    image_build
    printf 'install: %s checks passed\n' "$checks"
}

main "$@"
