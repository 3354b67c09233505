//! Which conversation a message joins, and the marks we leave so that others find ours.
//!
//! [`place`] decides, by ordered rules over what the message says ([`Clues`]) and what is known
//! ([`Lookup`]). Under it lie the ids of a message ([`candidate_ids`], [`own_ids`]), the ids we give
//! ourselves ([`IdKey`]), subjects without their marks ([`base_subject`]) and Outlook's Thread-Index.

mod ids;
mod index;
mod place;
mod subject;

pub use ids::{ALERTS, Bound, IdKey, candidate_ids, claims_to_be_ours, marked_ids_in, own_ids};
pub use index::{make_thread_index, thread_guid};
pub use place::{Clues, Hit, Lookup, Placement, place};
pub use subject::{base_subject, folded, is_generic, is_marked_subject, thread_topic};
