//! What goes wrong, one fault at one moment for each test: docs/RELIABILITY.md lists them all. Each
//! says what the person is told, and at its end every message is there once and every reply left once.

mod clock;
mod crash_points;
mod disk;
mod field;
mod graph;
mod idle;
mod leaving;
mod ledger;
mod limits;
mod real;
mod receiving_line;
mod receiving_mail;
mod sending_answer;
mod sending_line;
mod tokens;
