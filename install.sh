#!/bin/sh
# Installs, upgrades and removes Mailhatch on one host. Running it again changes only what differs.
# install.sh --help tells the options; docs/OPERATIONS.md tells the rest.

set -eu
umask 022

SERVICE=mailhatch
SERVICE_USER=mailhatch
PURGE_WORD=delete-all-mail
HEALTH_SECONDS=60
HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

dry_run=no
action=install
purge=no
binary=
root=
url=
listen=
changes=0
binary_changed=no
service_changed=no
staged=

# A half-written file never stays behind.
trap 'if [ -n "$staged" ]; then rm -f "$staged"; fi' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- Talking ------------------------------------------------------------------------------------

say() { printf '%s\n' "$*"; }

# What happened, why it matters, what to do: one line each, to standard error.
warn() { printf 'warning: %s\n' "$1" >&2; shift; for line in "$@"; do printf '         %s\n' "$line" >&2; done; }
err() { printf 'error: %s\n' "$1" >&2; shift; for line in "$@"; do printf '       %s\n' "$line" >&2; done; exit 1; }
usage_err() { printf 'error: %s\n       install.sh --help lists the options.\n' "$1" >&2; exit 2; }

need_cmd() {
    command -v "$1" >/dev/null 2>&1 ||
        err "the command '$1' is missing" "It is needed to $2." "Install it (on Debian: apt-get install $3), then run this again."
}

# change DESCRIPTION COMMAND…: does it and says so; with --dry-run only says so.
change() {
    what=$1
    shift
    changes=$((changes + 1))
    if [ "$dry_run" = yes ]; then
        say "would $what"
    else
        say "$what"
        "$@"
    fi
}

usage() {
    cat <<'HELP'
Usage: install.sh [--binary FILE] [--url URL] [--listen ADDR:PORT] [--root DIR] [--dry-run]
       install.sh --uninstall [--purge delete-all-mail] [--root DIR] [--dry-run]

Installs Mailhatch as a systemd service, or upgrades it. A second run changes nothing.

  --binary FILE    the program to install; otherwise a file 'mailhatch' beside this script, then
                   target/release/mailhatch, then it is built with cargo
  --url URL        public address, such as https://inbox.example.org (first installation)
  --listen A:P     address and port to listen on; 127.0.0.1:8025 if not given (first installation)
  --root DIR       put everything below DIR, as for an image: no user is made, no service started
  --dry-run        tell what would be done and change nothing
  --uninstall      remove the program and the service; data, settings and key stay
  --purge WORD     with --uninstall: remove those as well. WORD must be delete-all-mail
  --help           this text

Exit status: 0 done, 1 failed, 2 wrong usage.
HELP
}

# ---- Arguments ----------------------------------------------------------------------------------

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --binary | --url | --listen | --root | --purge)
                if [ $# -lt 2 ] || [ -z "$2" ]; then usage_err "$1 needs a value"; fi
                set_option "$1" "$2"
                shift 2
                ;;
            --binary=* | --url=* | --listen=* | --root=* | --purge=*)
                [ -n "${1#*=}" ] || usage_err "${1%%=*} needs a value"
                set_option "${1%%=*}" "${1#*=}"
                shift
                ;;
            --dry-run) dry_run=yes && shift ;;
            --uninstall) action=uninstall && shift ;;
            --help | -h) usage && exit 0 ;;
            *) usage_err "unknown option '$1'" ;;
        esac
    done
    if [ "$purge" = yes ] && [ "$action" != uninstall ]; then usage_err "--purge goes with --uninstall only"; fi
}

set_option() {
    case $1 in
        --binary) binary=$2 ;;
        --url) url=$(checked_url "$2") || exit 2 ;;
        --listen) listen=$(checked_listen "$2") || exit 2 ;;
        --root)
            root=$(CDPATH='' cd -- "$2" 2>/dev/null && pwd) || usage_err "--root: there is no folder '$2'"
            if [ "$root" = / ]; then usage_err "--root / is the machine itself; leave --root out"; fi
            ;;
        --purge)
            [ "$2" = "$PURGE_WORD" ] ||
                usage_err "--purge deletes all mail, settings and the sealing key for good; to mean it, write --purge $PURGE_WORD"
            purge=yes
            ;;
    esac
}

checked_url() {
    case $1 in
        *[!]A-Za-z0-9.:/_~%[-]*) usage_err "--url '$1' holds a character an address cannot have" ;;
        http://?*/?* | https://?*/?*) usage_err "--url '$1' has a path; Mailhatch has a whole name to itself, such as https://inbox.example.org" ;;
        http://?* | https://?*) printf '%s\n' "${1%/}" ;;
        *) usage_err "--url '$1' must begin with https:// or http://" ;;
    esac
}

checked_listen() {
    case $1 in *:*) ;; *) usage_err "--listen '$1' must be ADDRESS:PORT, such as 127.0.0.1:8025" ;; esac
    port=${1##*:}
    host=${1%:*}
    case $host in \[*\]) host=${host#\[} && host=${host%\]} ;; *:*) host= ;; esac
    case $host in
        '' | *[!0-9A-Fa-f.:]*) usage_err "--listen '$1' has no IP address; 0.0.0.0 or [::] stand for all" ;;
    esac
    case $port in '' | *[!0-9]* | ??????*) usage_err "--listen '$1': '$port' is no port" ;; esac
    if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then usage_err "--listen '$1': a port is between 1 and 65535"; fi
    if [ "$port" -lt 1024 ]; then
        warn "port $port is for privileged programs, and the service has no privileges" \
            "Put a proxy in front, or grant it the port: docs/OPERATIONS.md, \"HTTPS without a proxy\"."
    fi
    printf '%s\n' "$1"
}

# ---- Paths --------------------------------------------------------------------------------------

set_paths() {
    program=$root/usr/local/bin/mailhatch
    previous=$root/usr/local/bin/mailhatch.previous
    unit=$root/etc/systemd/system/$SERVICE.service
    config_dir=$root/etc/mailhatch
    settings=$config_dir/mailhatch.env
    key=$config_dir/mailhatch.key
    data_dir=$root/var/lib/mailhatch
}

check_rights() {
    if [ -n "$root" ]; then return; fi
    if [ "$(id -u)" -eq 0 ]; then return; fi
    if [ "$dry_run" = yes ]; then
        warn "not root: folders closed to you are taken for missing" "For an exact answer: sudo $0 --dry-run …"
        return
    fi
    err "this must run as root" "It makes a user, a service and files under /etc and /usr/local." "Run: sudo $0 …"
}

check_commands() {
    need_cmd install "copy files with their owner and mode" coreutils
    need_cmd stat "compare owners and modes" coreutils
    need_cmd cmp "see whether a file differs" diffutils
    need_cmd base64 "make the sealing key" coreutils
    if [ -z "$root" ]; then
        need_cmd useradd "make the user $SERVICE_USER" passwd
        need_cmd getent "look up the user $SERVICE_USER" libc-bin
    fi
}

# ---- The program --------------------------------------------------------------------------------

find_binary() {
    if [ -n "$binary" ]; then
        [ -f "$binary" ] || err "there is no file '$binary'" "It was named with --binary." "Check the path and run this again."
        return
    fi
    for candidate in "$HERE/mailhatch" "$HERE/target/release/mailhatch"; do
        if [ -f "$candidate" ]; then
            binary=$candidate
            warn_if_stale
            return
        fi
    done
    build_binary
}

# A checkout that moved on since the last build would "upgrade" to the old program without a word.
warn_if_stale() {
    case $binary in */target/release/mailhatch) ;; *) return 0 ;; esac
    if [ -n "$(find "$HERE/src" "$HERE/Cargo.toml" "$HERE/templates" "$HERE/static" "$HERE/migrations" \
        -newer "$binary" -type f 2>/dev/null | head -n 1)" ]; then
        warn "the sources are newer than $binary" "Build again if they are what you mean to install: cargo build --release --locked"
    fi
}

build_binary() {
    [ -f "$HERE/Cargo.toml" ] ||
        err "there is no program to install" \
            "Neither --binary was given nor is a file 'mailhatch' beside this script." \
            "Download a release, or name the program with --binary FILE."
    binary=$HERE/target/release/mailhatch
    if [ "$dry_run" = yes ]; then
        change "build $binary with cargo" :
        return
    fi
    say "building the program with cargo; this takes some minutes"
    if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
        # As the person who called sudo: theirs is the toolchain, and target/ stays theirs.
        # shellcheck disable=SC2016 # $1 is for the inner shell
        su - "$SUDO_USER" -c 'cd -- "$1" && cargo build --release --locked' -- sh "$HERE" ||
            build_failed
    else
        need_cmd cargo "build the program (Rust 1.95 or newer, https://rustup.rs)" cargo
        (cd -- "$HERE" && cargo build --release --locked) || build_failed
    fi
}

build_failed() {
    err "cargo could not build the program" "Its words stand above; nothing was installed." \
        "Mend it and run this again, or install a finished program with --binary FILE."
}

# version_of FILE: the first line of its 'version'; fails when the program does not run here.
version_of() {
    words=$("$1" version 2>/dev/null </dev/null) || return 1
    printf '%s\n' "$words" | head -n 1
}

install_program() {
    before=$(version_of "$program") || before='no program'
    if [ -f "$program" ] && [ -f "$binary" ] && cmp -s "$binary" "$program"; then
        say "program: $before, already installed"
        ensure_mode "$program" 755 root root
        return
    fi
    if [ "$dry_run" = yes ]; then
        change "install $program from $binary, before: $before" :
        binary_changed=yes
        return
    fi
    install -d -m 0755 "$(dirname "$program")"
    staged=$program.new.$$
    install -m 0755 "$binary" "$staged"
    after=$(version_of "$staged") ||
        err "$binary does not run on this machine" \
            "'mailhatch version' failed, so what was installed before stays in place." \
            "Check that it is a program for $(uname -m): run '$binary version' by hand to see its words."
    if [ -f "$program" ]; then
        # A second name for the old file: there is no moment without a program.
        ln -f "$program" "$previous" 2>/dev/null || cp -p "$program" "$previous"
    fi
    change "install $program: $after, before: $before" mv -f "$staged" "$program"
    binary_changed=yes
}

# ---- User, folders, files -----------------------------------------------------------------------

have_user() { [ -z "$root" ] && getent passwd "$SERVICE_USER" >/dev/null 2>&1; }

install_user() {
    if [ -n "$root" ] || have_user; then return; fi
    change "make the system user $SERVICE_USER" make_user
}

make_user() {
    useradd --system --user-group --home-dir /var/lib/mailhatch --no-create-home \
        --shell /usr/sbin/nologin --comment 'Mailhatch mail service' "$SERVICE_USER"
}

# ensure_mode PATH MODE OWNER GROUP: touches the file only when one of them differs.
ensure_mode() {
    [ -e "$1" ] || return 0
    if [ "$(stat -c %a "$1")" != "$2" ]; then change "set the mode of $1 to $2" chmod "$2" "$1"; fi
    if [ -z "$root" ] && [ "$(stat -c %U:%G "$1")" != "$3:$4" ]; then
        change "give $1 to $3:$4" chown "$3:$4" "$1"
    fi
}

ensure_folder() {
    if [ ! -d "$1" ]; then
        change "make the folder $1" make_folder "$@"
    fi
    ensure_mode "$1" "$2" "$3" "$4"
}

make_folder() {
    install -d -m "$2" "$1"
    own "$1" "$3" "$4"
}

# own PATH OWNER GROUP; below --root the user may not exist, and the caller may not be root.
own() { if [ -z "$root" ]; then chown "$2:$3" "$1"; fi; }

install_folders() {
    ensure_folder "$config_dir" 750 root "$SERVICE_USER"
    ensure_folder "$data_dir" 750 "$SERVICE_USER" "$SERVICE_USER"
}

install_key() {
    if ! wants_key; then return; fi
    if [ ! -s "$key" ]; then
        if [ -f "$data_dir/mailhatch.db" ]; then
            err "there is a database in $data_dir but no key at $key" \
                "What that database keeps sealed (passwords, consents) opens only with the key it was made with." \
                "Put that key back. If it is lost, make a new one and connect every mailbox anew:" \
                "  (umask 027; head -c 32 /dev/urandom | base64 >$key)" \
                "Then run this again."
        fi
        change "make a new sealing key at $key" make_key
    fi
    ensure_mode "$key" 640 root "$SERVICE_USER"
}

# Whoever keeps the key in the settings or in another file needs none here.
wants_key() {
    [ -z "$(setting MAILHATCH_SECRET_KEY '')" ] &&
        [ "$(setting MAILHATCH_SECRET_KEY_FILE "${key#"$root"}")" = "${key#"$root"}" ]
}

make_key() {
    staged=$key.new.$$
    (umask 077 && head -c 32 /dev/urandom | base64 >"$staged")
    [ "$(wc -c <"$staged")" -eq 45 ] || err "no key could be made" "/dev/urandom gave too little." "Check the machine's /dev and run this again."
    chmod 0640 "$staged"
    own "$staged" root "$SERVICE_USER"
    mv -f "$staged" "$key"
}

install_settings() {
    if [ ! -e "$settings" ]; then
        change "write the settings to $settings" write_settings
        service_changed=yes
    else
        tell_if_other MAILHATCH_URL "$url"
        tell_if_other MAILHATCH_LISTEN "$listen"
    fi
    ensure_mode "$settings" 640 root "$SERVICE_USER"
}

write_settings() {
    staged=$settings.new.$$
    (
        umask 077
        sed -e "${url:+s|^#MAILHATCH_URL=.*|MAILHATCH_URL=$url|}" \
            -e "${listen:+s|^#MAILHATCH_LISTEN=.*|MAILHATCH_LISTEN=$listen|}" \
            "$HERE/packaging/mailhatch.env" >"$staged"
    )
    chmod 0640 "$staged"
    own "$staged" root "$SERVICE_USER"
    mv -f "$staged" "$settings"
}

# The settings belong to the operator once they exist: a differing option is told, not written.
tell_if_other() {
    if [ -z "$2" ] || [ "$(setting "$1" '')" = "$2" ]; then return; fi
    warn "$1 stays as it is in $settings" "That file is yours and is never changed by this script." \
        "To change it, write the line $1=$2 there, then: systemctl restart $SERVICE"
}

# setting NAME DEFAULT: the value in the settings file, without quotes.
setting() {
    value=$(sed -n "s/^$1=//p" "$settings" 2>/dev/null | tail -n 1 | tr -d "\"'")
    printf '%s\n' "${value:-$2}"
}

install_unit() {
    if [ -f "$unit" ] && cmp -s "$HERE/packaging/mailhatch.service" "$unit"; then
        ensure_mode "$unit" 644 root root
        return
    fi
    change "install the service $unit" copy_unit
    service_changed=yes
}

copy_unit() {
    install -d -m 0755 "$(dirname "$unit")"
    install -m 0644 "$HERE/packaging/mailhatch.service" "$unit"
}

# ---- The service --------------------------------------------------------------------------------

have_systemctl() { [ -z "$root" ] && command -v systemctl >/dev/null 2>&1; }
have_systemd() { have_systemctl && [ -d /run/systemd/system ]; }

start_service() {
    # Enabling only makes a link, so it also works in an image that is being built.
    if have_systemctl && ! systemctl is-enabled --quiet "$SERVICE" 2>/dev/null; then
        change "have the service start with the machine" systemctl enable --quiet "$SERVICE"
    fi
    if ! have_systemd; then
        tell_without_systemd
        return
    fi
    if [ "$service_changed" = yes ]; then change "tell systemd about the service" systemctl daemon-reload; fi
    if ! systemctl is-active --quiet "$SERVICE"; then
        change "start the service" run_service start
    elif [ "$binary_changed" = yes ] || [ "$service_changed" = yes ]; then
        change "restart the service" run_service restart
    fi
}

tell_without_systemd() {
    if [ -n "$root" ] || [ "$changes" -eq 0 ] || [ "$dry_run" = yes ]; then return; fi
    say "systemd is not running here, so no service was started. Where it runs, do: systemctl enable --now $SERVICE"
    say "To run it by hand, as its own user:"
    say "  runuser -u $SERVICE_USER -- sh -c 'set -a; . $settings; exec mailhatch serve'"
}

run_service() {
    systemctl "$1" "$SERVICE" || service_failed "the service did not $1"
    wait_until_healthy || service_failed "the service runs but does not answer on $(health_url)"
    say "it answers on $(health_url)"
}

service_failed() {
    if [ -e "$previous" ] && [ "$binary_changed" = yes ]; then
        err "$1" "Nothing was lost: the data is as the program left it. Its words: journalctl -u $SERVICE -n 50" \
            "To go back to the program before: docs/OPERATIONS.md, \"Go back to the version before\"."
    fi
    err "$1" "The program's own words tell why: journalctl -u $SERVICE -n 50" \
        "Mend the cause (often a line in $settings), then run this again."
}

health_url() {
    address=$(setting MAILHATCH_LISTEN 127.0.0.1:8025)
    scheme=http
    if [ -n "$(setting MAILHATCH_TLS_CERT '')" ]; then scheme=https; fi
    case $address in
        0.0.0.0:*) address=127.0.0.1:${address##*:} ;;
        '[::]':*) address="[::1]:${address##*:}" ;;
    esac
    printf '%s://%s/healthz\n' "$scheme" "$address"
}

# The certificate is made for the public name, so it cannot be checked under this address.
answers() {
    if command -v curl >/dev/null 2>&1; then
        curl --silent --fail --insecure --noproxy '*' --max-time 5 --output /dev/null "$1"
    elif command -v wget >/dev/null 2>&1; then
        wget --quiet --no-check-certificate --no-proxy --timeout=5 --tries=1 --output-document=/dev/null "$1"
    else
        # Without a client the word of systemd must do: the unit counts as started once it said READY=1.
        systemctl is-active --quiet "$SERVICE"
    fi
}

wait_until_healthy() {
    deadline=$(($(date +%s) + HEALTH_SECONDS))
    while ! answers "$(health_url)"; do
        if [ "$(date +%s)" -ge "$deadline" ]; then return 1; fi
        sleep 1
    done
}

# ---- Actions ------------------------------------------------------------------------------------

install_all() {
    for file in mailhatch.service mailhatch.env; do
        [ -f "$HERE/packaging/$file" ] ||
            err "packaging/$file is missing beside this script" "The service cannot be set up without it." "Unpack the whole release, or run install.sh from a checkout."
    done
    find_binary
    install_user
    install_folders
    install_program
    install_key
    install_settings
    install_unit
    start_service
    tell_result
}

tell_result() {
    if [ "$changes" -eq 0 ]; then
        say "nothing to change: Mailhatch is installed as it should be"
    elif [ "$dry_run" = yes ]; then
        say "dry run: $changes changes would be made, none was"
    else
        say ""
        say "Mailhatch is installed. Open $(setting MAILHATCH_URL http://localhost:8025) to make the first admin."
        say "Keep a copy of $key apart from the backups."
    fi
}

uninstall_all() {
    if have_systemd && [ -e "$unit" ]; then
        change "stop the service and take it out of the start" systemctl disable --now --quiet "$SERVICE"
    fi
    for file in "$unit" "$program" "$previous"; do
        if [ -e "$file" ]; then change "remove $file" rm -f "$file"; fi
    done
    if [ "$changes" -gt 0 ] && have_systemd; then change "tell systemd" systemctl daemon-reload; fi
    if [ "$purge" = yes ]; then purge_all; fi
    if [ "$changes" -eq 0 ]; then say "nothing to remove: Mailhatch is not installed"; fi
    if [ "$dry_run" = yes ]; then say "dry run: $changes changes would be made, none was"; fi
    if [ "$purge" = no ] && { [ -e "$data_dir" ] || [ -e "$config_dir" ]; }; then
        say "Kept: $data_dir (mail), $config_dir (settings and key), the user $SERVICE_USER that owns them."
        say "Installing again takes them up. To delete them for good: $0 --uninstall --purge $PURGE_WORD"
    fi
}

purge_all() {
    for folder in "$data_dir" "$config_dir"; do
        if [ -e "$folder" ]; then change "remove $folder with all it holds" rm -rf "$folder"; fi
    done
    if have_user; then
        need_cmd userdel "remove the user $SERVICE_USER" passwd
        change "remove the user $SERVICE_USER" userdel "$SERVICE_USER"
    fi
}

main() {
    parse_arguments "$@"
    set_paths
    check_rights
    check_commands
    case $action in
        install) install_all ;;
        uninstall) uninstall_all ;;
    esac
}

main "$@"
