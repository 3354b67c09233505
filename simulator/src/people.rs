//! In charge of the people outside: who answers, who bounces, who is away.
use crate::world::World;
/// The reply for a recipient that does not exist.
pub(crate) const NOT_FOUND: &str = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; \
     Recipient not found by SMTP address lookup";

/// What the server of an outside recipient says at RCPT; none lets the mail through.
pub(crate) fn verdict(world: &World, address: &str) -> Option<&'static str> {
    let local = address.split('@').next().unwrap_or_default().to_lowercase();
    if local.starts_with("refuse") {
        return Some(NOT_FOUND);
    }
    let busy = local.starts_with("busy") && world.count_try(address) < 2;
    busy.then_some("451 4.7.500 Server busy. Please try again later")
}
