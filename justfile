# `just` lists the recipes. Everything here is one ordinary command; nothing needs just.

[private]
default:
    @just --list --unsorted

# the whole product against the built-in pretend Microsoft 365
dev *arguments:
    cargo run -- demo {{ arguments }}

# the Rust tests whose name holds the given text, or all
test *name:
    cargo test --workspace {{ name }}

# everything, as the build machine runs it; or the named sections of tests/run.sh
ci *sections:
    .ci/run {{ sections }}

# format the sources
fmt:
    cargo fmt --all

# what the compiler and the linters have to say
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings
    shellcheck install.sh tests/run.sh tests/install/*.sh .ci/run

# the documentation of the code, opened in the browser
doc:
    cargo doc --workspace --no-deps --document-private-items --open

# how far our reading of real mail agrees with others' tests: the tables of docs/corpus.md
corpus folder="":
    TEST_CORPUS={{ folder }} cargo test --release --test agreement --test threads -- --ignored --nocapture

# look for input that breaks one of fuzz/targets, for so many seconds (0: until a finding)
fuzz target seconds="0":
    cargo fuzz run --sanitizer none {{ target }} -- -max_total_time={{ seconds }} -timeout=10 -rss_limit_mb=2048

# mail, replies and faults for so many seconds, then every id compared; a seed chooses the faults
soak seconds="600" mailboxes="50" seed="":
    TEST_SOAK="{{ seconds }} {{ mailboxes }} {{ seed }}" cargo test --locked --test soak -- --ignored --nocapture

# the tables of docs/PERFORMANCE.md: appliance, receive, push, idle, send, pages, parse, or all
bench *names:
    cargo bench --bench measure -- {{ names }}

# receiving beside mbsync, notmuch and a bare client, from the same Dovecot; push beside a bare client in IDLE
bench-receive: (bench "receive" "push")

# sending beside a bare lettre loop, to the same Postfix
bench-send: (bench "send")

# the program as it is given away: target/release/mailhatch
release: ci
    cargo build --release --locked
    target/release/mailhatch version
