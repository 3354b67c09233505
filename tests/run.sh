#!/usr/bin/env bash
# Runs every test of the project. On a bare Debian with Rust it first installs what the tests need.
#
# Usage: tests/run.sh [SECTION…]
# Sections, in order: prerequisites shellcheck fmt clippy test corpus install doc deny. Without a name: all.
# Run it as root or as someone with sudo (packages and the install test need it); cargo runs as you.
# Safe to run again at any time. Ends with one verdict line; status 0 only when all is well.

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1

readonly SECTIONS=(prerequisites shellcheck fmt clippy test corpus install doc deny)
failed=()
ran=()

# Programs in sbin are on root's path only; the tests start Dovecot and Postfix by themselves. And rustup's
# folder is on the path of log-in shells only.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# ---- Prerequisites -------------------------------------------------------------------------------

# What must be there : the Debian package that brings it.
readonly NEEDS=(
    cc:build-essential
    curl:curl
    shellcheck:shellcheck
    debootstrap:debootstrap
    systemd-analyze:systemd
    dovecot:dovecot-core
    /usr/lib/dovecot/imap:dovecot-imapd
    /usr/lib/dovecot/lmtp:dovecot-lmtpd
    postfix:postfix
    chromium:chromium
    chromedriver:chromium-driver
    /usr/share/fonts/truetype/liberation:fonts-liberation
)

missing_packages() {
    local need
    for need in "${NEEDS[@]}"; do
        [ -e "${need%%:*}" ] || command -v "${need%%:*}" >/dev/null 2>&1 || echo "${need#*:}"
    done
}

# Tells Debian's packages not to start their services: the tests start their own, on their own ports.
readonly POLICY=/usr/sbin/policy-rc.d
policy_kept=

forbid_services() {
    if [ -e "$POLICY" ]; then
        policy_kept=$(mktemp) && as_root cp -p "$POLICY" "$policy_kept"
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null && as_root chmod 755 "$POLICY"
    trap restore_policy EXIT
}

restore_policy() {
    if [ -n "$policy_kept" ]; then
        as_root cp -p "$policy_kept" "$POLICY" && as_root rm -f "$policy_kept"
    else
        as_root rm -f "$POLICY"
    fi
    policy_kept=
    trap - EXIT
}

section_prerequisites() {
    local packages status=0
    read -r -a packages <<<"$(missing_packages | tr '\n' ' ')"
    if [ "${#packages[@]}" -gt 0 ]; then
        echo "installing: ${packages[*]}"
        forbid_services
        { as_root apt-get update -qq &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "${packages[@]}" >/dev/null; } || status=1
        restore_policy
    fi
    if ! command -v cargo >/dev/null 2>&1; then
        echo "cargo is missing: install Rust 1.95 or newer from https://rustup.rs, then run this again"
        return 1
    fi
    read -r -a packages <<<"$(missing_packages | tr '\n' ' ')"
    if [ "${#packages[@]}" -gt 0 ]; then
        echo "still missing: ${packages[*]}; the sections that need them will fail"
        return 1
    fi
    cargo --version && rustc --version
    return "$status"
}

# ---- Sections ------------------------------------------------------------------------------------

section_shellcheck() {
    shellcheck install.sh tests/run.sh tests/install/*.sh .ci/run
}

section_fmt() { cargo fmt --all --check; }

section_clippy() { cargo clippy --workspace --all-targets --locked --quiet -- -D warnings; }

# The tests that need a browser run this one; without the names they look where Debian puts it.
section_test() {
    TEST_CHROMIUM=$(command -v chromium) \
    TEST_CHROMEDRIVER=$(command -v chromedriver) \
        cargo test --workspace --locked --no-fail-fast
}

# Real mail of other projects, where it lies beside this one; says so where it does not.
section_corpus() {
    cargo test --locked --test agreement --test threads -- --ignored --nocapture &&
        cargo test --locked --test browser payloads -- --ignored --nocapture
}

# The program the tests themselves were built with, so nothing is compiled a second time.
section_install() {
    cargo build --workspace --bins --tests --locked --quiet &&
        as_root tests/install/install.sh "${CARGO_TARGET_DIR:-target}/debug/mailhatch"
}

# The documentation is for those who have the source: a link may lead to something private.
section_doc() { RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' cargo doc --workspace --no-deps --locked --quiet; }

section_deny() {
    if ! cargo deny --version >/dev/null 2>&1; then
        echo "skipped: cargo-deny is not installed (cargo install --locked cargo-deny)"
        return 0
    fi
    cargo deny --locked check
}

# ---- Running them --------------------------------------------------------------------------------

run_section() {
    local name=$1 start=$SECONDS status=0
    printf '\n=== %s\n' "$name"
    "section_$name" || status=$?
    if [ "$status" -eq 0 ]; then
        printf -- '--- %s: ok, %ss\n' "$name" $((SECONDS - start))
    else
        printf -- '--- %s: FAILED, %ss\n' "$name" $((SECONDS - start))
        failed+=("$name")
    fi
    ran+=("$name")
}

is_section() {
    local known
    for known in "${SECTIONS[@]}"; do [ "$known" != "$1" ] || return 0; done
    return 1
}

main() {
    local name
    for name in "$@"; do
        if ! is_section "$name"; then
            echo "error: there is no section '$name'; there are: ${SECTIONS[*]}" >&2
            exit 2
        fi
    done
    if [ $# -eq 0 ]; then set -- "${SECTIONS[@]}"; fi
    for name in "$@"; do run_section "$name"; done

    if [ "${#failed[@]}" -gt 0 ]; then
        printf '\nVERDICT: FAILED (%s) after %ss\n' "${failed[*]}" "$SECONDS"
        exit 1
    fi
    printf '\nVERDICT: all well (%s) after %ss\n' "${ran[*]}" "$SECONDS"
}

main "$@"
