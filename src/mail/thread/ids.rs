//! Message-IDs: those a message names, and those we give, which carry a keyed hash.
//!
//! Ours look like `mh-CONVERSATION-RANDOM-HASH@domain`. The hash binds the id to its mailbox and to the
//! conversation as it began, so that nobody can make up an id that leads into a conversation, and a number
//! that a restored database gave to another conversation leads nowhere. An id that is stored is found by
//! looking it up whatever its hash says: a new key forgets no thread.

use sha2::{Digest as _, Sha256};

use crate::mail::parse::Parsed;
use crate::model::{ConversationId, MailboxId};

/// Ids tried for one message; a looping list can make References endless.
const CANDIDATES_MAX: usize = 100;
/// Longest id that is looked at; RFC 5322 section 2.1.1 allows lines of 998.
const ID_BYTES_MAX: usize = 998;
/// What our ids begin with.
const PREFIX: &str = "mh-";
/// Characters of the random part: 64 bits in hexadecimal.
const RANDOM_CHARS: usize = 16;
/// Characters of the hash: 96 bits in hexadecimal.
const HASH_CHARS: usize = 24;
/// Bytes of a text searched for ids of ours.
const SEARCHED_BYTES_MAX: usize = 256 * 1024;
/// Ids of ours taken from one text.
const FOUND_MAX: usize = 20;

/// The ids by which a message may belong to an earlier one, the most trustworthy first: In-Reply-To,
/// then References from the end (the nearest ancestor is last, RFC 5322 section 3.6.4).
#[must_use]
pub fn candidate_ids(message: &Parsed) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let own = own_ids(message);
    let people = people_named(message);
    let sources = message
        .in_reply_to
        .iter()
        .chain(message.references.iter().rev());
    for id in sources {
        if ids.len() >= CANDIDATES_MAX {
            break;
        }
        let is_person = people.iter().any(|who| who.eq_ignore_ascii_case(id));
        if id.len() <= ID_BYTES_MAX && !is_person && !own.contains(id) && !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}

/// Addresses that stand where ids should: older programs wrote `In-Reply-To: Message from Ada <ada@x.org>
/// of Mon, 9 Sep 2002 <id>` (RFC 822 section 4.6.2 allowed words there). Taken for an id, an address would
/// join all that its owner ever wrote.
fn people_named(message: &Parsed) -> Vec<String> {
    let lists = [&message.from, &message.reply_to, &message.to, &message.cc];
    let mut people: Vec<String> = lists
        .into_iter()
        .flat_map(|list| list.iter().take(CANDIDATES_MAX))
        .map(|who| who.address.clone())
        .collect();
    let field = message.headers.text("in-reply-to").unwrap_or_default();
    for piece in field.split('>').take(CANDIDATES_MAX) {
        if let Some((words, inside)) = piece.rsplit_once('<') {
            let mut words = words.split_whitespace().rev();
            let stop = words.find(|word| {
                matches!(
                    word.to_ascii_lowercase().as_str(),
                    "from" | "of" | "dated" | "on" | "von" | "vom"
                )
            });
            if stop.is_some_and(|word| matches!(word.to_ascii_lowercase().as_str(), "from" | "von"))
            {
                people.push(inside.trim().to_owned());
            }
        }
    }
    people
}

/// All names under which this message may be referred to or met again: its Message-ID and those it
/// had before Microsoft replaced them.
#[must_use]
pub fn own_ids(message: &Parsed) -> Vec<String> {
    let mut ids: Vec<String> = message.message_id.iter().cloned().collect();
    for id in message.original_message_ids.iter().take(CANDIDATES_MAX) {
        if id.len() <= ID_BYTES_MAX && !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}

/// What an id of ours is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The mailbox it leaves from.
    pub mailbox_id: MailboxId,
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// When that conversation began, unix seconds UTC.
    pub begun_at: i64,
}

/// What the ids of mail to administrators are bound to: no mailbox, and no conversation.
pub const ALERTS: Bound = Bound {
    mailbox_id: MailboxId(0),
    conversation_id: ConversationId(0),
    begun_at: 0,
};

/// The key of the hash in our ids.
#[derive(Clone)]
pub struct IdKey([u8; 32]);

impl std::fmt::Debug for IdKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdKey")
    }
}

impl IdKey {
    /// A key of these bytes, which must be used for nothing else.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What stands before the @ of a new id.
    #[must_use]
    pub fn make(&self, bound: &Bound, random: [u8; 8]) -> String {
        let random = hex(&random);
        let hash = self.hash(bound, &random);
        format!("{PREFIX}{}-{random}-{hash}", bound.conversation_id)
    }

    /// The conversation that an id names if it is one of ours. Only [`IdKey::verify`] says whether to
    /// believe it.
    #[must_use]
    pub fn conversation_named(id: &str) -> Option<ConversationId> {
        Mark::read(id).map(|mark| mark.conversation_id)
    }

    /// Whether we gave this id to a message of this conversation.
    #[must_use]
    pub fn verify(&self, id: &str, bound: &Bound) -> bool {
        use subtle::ConstantTimeEq as _;
        Mark::read(id).is_some_and(|mark| {
            let hash = self.hash(bound, mark.random);
            mark.conversation_id == bound.conversation_id
                && bool::from(hash.as_bytes().ct_eq(mark.hash.as_bytes()))
        })
    }

    fn hash(&self, bound: &Bound, random: &str) -> String {
        let Bound {
            mailbox_id,
            conversation_id,
            begun_at,
        } = bound;
        let text = format!("{mailbox_id}/{conversation_id}/{begun_at}/{random}");
        let mut hash = hex(&self.hmac(text.as_bytes()));
        hash.truncate(HASH_CHARS);
        hash
    }

    /// HMAC-SHA-256 (RFC 2104) with a key that is shorter than a block.
    fn hmac(&self, text: &[u8]) -> [u8; 32] {
        let pad = |with: u8| {
            let mut block = [with; 64];
            for (byte, key) in block.iter_mut().zip(self.0) {
                *byte ^= key;
            }
            block
        };
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text);
        let outer = Sha256::new()
            .chain_update(pad(0x5c))
            .chain_update(inner.finalize());
        outer.finalize().into()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id of our form, taken apart.
struct Mark<'a> {
    conversation_id: ConversationId,
    random: &'a str,
    hash: &'a str,
    domain: &'a str,
}

impl<'a> Mark<'a> {
    fn read(id: &'a str) -> Option<Self> {
        let (local, domain) = id.split_once('@')?;
        let mut pieces = local.strip_prefix(PREFIX)?.split('-');
        let (number, random, hash) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let is_hex = |text: &str, chars: usize| {
            text.len() == chars && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let is_whole =
            pieces.next().is_none() && is_hex(random, RANDOM_CHARS) && is_hex(hash, HASH_CHARS);
        is_whole.then_some(Self {
            conversation_id: ConversationId(number.parse().ok()?),
            random,
            hash,
            domain,
        })
    }
}

/// Whether an id has our form and the domain of `address`. One that does and neither is stored nor
/// verifies was made up.
#[must_use]
pub fn claims_to_be_ours(id: &str, address: &str) -> bool {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    Mark::read(id).is_some_and(|mark| mark.domain.eq_ignore_ascii_case(domain))
}

/// Ids of our form anywhere in these bytes: a server that returns a message keeps its Message-ID in one
/// place or another.
#[must_use]
pub fn marked_ids_in(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.get(..SEARCHED_BYTES_MAX).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '@');
    let mut ids: Vec<String> = Vec::new();
    for word in text.split(|c: char| !is_part(c)) {
        let id = word.trim_end_matches(['.', '-', '@']);
        if id.starts_with(PREFIX)
            && Mark::read(id).is_some()
            && !ids.iter().any(|known| known == id)
        {
            ids.push(id.to_owned());
            if ids.len() >= FOUND_MAX {
                break;
            }
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound {
        mailbox_id: MailboxId(3),
        conversation_id: ConversationId(71),
        begun_at: 1_714_564_800,
    };

    fn id() -> String {
        let local = IdKey::new([7; 32]).make(&BOUND, [9; 8]);
        format!("{local}@example.org")
    }

    #[test]
    fn candidates_begin_with_the_direct_parent_and_leave_out_the_message_itself() {
        let message = Parsed {
            message_id: Some("me@x".to_owned()),
            original_message_ids: vec!["was@x".to_owned()],
            in_reply_to: vec!["c@x".to_owned()],
            references: ["a@x", "b@x", "was@x", "c@x", "me@x"]
                .map(str::to_owned)
                .to_vec(),
            ..Parsed::default()
        };
        assert_eq!(candidate_ids(&message), ["c@x", "b@x", "a@x"]);
        assert_eq!(own_ids(&message), ["me@x", "was@x"]);
    }

    #[test]
    fn an_address_among_the_words_of_in_reply_to_is_no_id() {
        let (message, _) = crate::mail::parse(
            b"From: Ben <ben@x.org>\r\nTo: list@x.org\r\n\
              In-Reply-To: Message from Ada Low <ada@y.org> of Mon, 9 Sep 2002 <1@y.org>\r\n\
              References: <ben@x.org> <0@y.org>\r\n\r\nx",
        );
        assert_eq!(candidate_ids(&message), ["1@y.org", "0@y.org"]);
    }

    #[test]
    fn an_id_of_ours_verifies_only_with_its_key_in_its_mailbox_and_conversation() {
        let key = IdKey::new([7; 32]);
        assert!(key.verify(&id(), &BOUND));
        assert_eq!(
            IdKey::conversation_named(&id()),
            Some(BOUND.conversation_id)
        );
        assert!(!IdKey::new([8; 32]).verify(&id(), &BOUND));
        let others = [
            Bound {
                mailbox_id: MailboxId(4),
                ..BOUND
            },
            Bound {
                conversation_id: ConversationId(72),
                ..BOUND
            },
            Bound {
                begun_at: 1,
                ..BOUND
            },
        ];
        for other in others {
            assert!(!key.verify(&id(), &other), "{other:?}");
        }
    }

    #[test]
    fn a_changed_or_made_up_id_is_not_believed() {
        let key = IdKey::new([7; 32]);
        for (at, _) in id().char_indices().take_while(|(_, c)| *c != '@') {
            let mut changed = id().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(!key.verify(&changed, &BOUND), "{changed}");
        }
        for none in ["mh-71@example.org", "mh-x-0-0@y", "mh-71", "", "@"] {
            assert!(!key.verify(none, &BOUND), "{none}");
        }
    }

    #[test]
    fn the_hash_is_the_standard_one() {
        // RFC 4231 section 4.3, its key filled up with zeros, which HMAC does too.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let hash = IdKey::new(key).hmac(b"what do ya want for nothing?");
        assert!(hex(&hash).starts_with("5bdcc146bf60754e6a042426089575c7"));
    }

    #[test]
    fn an_id_of_ours_is_found_wherever_a_server_returned_it() {
        let text = format!(
            "Returned:\r\n Message-ID: <{}>\r\nFwd {} mh-1-2-3@x",
            id(),
            id()
        );
        assert_eq!(marked_ids_in(text.as_bytes()), [id()]);
        assert_eq!(marked_ids_in(b"mh-"), Vec::<String>::new());
        assert!(claims_to_be_ours(&id(), "Support@Example.org"));
        assert!(!claims_to_be_ours(&id(), "support@example.net"));
        assert!(!claims_to_be_ours("a@example.org", "support@example.org"));
    }
}
