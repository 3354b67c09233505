//! Searching, as far as it needs no database: a text to the words of the index ([`words`]), a message to
//! what is indexed of it ([`document`]), what a person typed to a question ([`query`]), the question to what
//! SQLite is asked ([`expression`]), which result comes first ([`rank`]), and what of it is marked
//! ([`marks`]).
//!
//! The index is one list of words for each message. SQLite splits it at spaces and does no more: languages
//! are understood here, the same way for texts and for questions.

pub mod document;
pub mod expression;
mod forms;
pub mod marks;
mod operators;
pub mod query;
pub mod rank;
pub mod words;
