//! Signing in against a server that answers as Entra does.

mod check;
mod consent;
mod entra;
mod sign_in;
mod tokens;
