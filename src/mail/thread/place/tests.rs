//! The rules, each with what it must and must not join.

use std::convert::Infallible;

use super::*;
use crate::model::{Contact, ContactId, MailboxId};

const DAY: i64 = 86_400;
const NOW: i64 = 1_800_000_000;

/// What is known in a test.
#[derive(Default)]
struct Known {
    ids: Vec<(&'static str, Hit)>,
    conversations: Vec<Conversation>,
    guid: Vec<Conversation>,
    contact: Vec<Conversation>,
    beginning: Option<Beginning>,
}

impl Lookup for Known {
    type Error = Infallible;

    fn by_id(&self, id: &str) -> Result<Option<Hit>, Infallible> {
        let found = self.ids.iter().find(|(known, _)| *known == id);
        Ok(found.map(|(_, hit)| hit.clone()))
    }

    fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, Infallible> {
        let mut all = self.conversations.iter();
        Ok(all.find(|one| one.id == id).cloned())
    }

    fn by_thread_guid(&self, _: &[u8; 16]) -> Result<Vec<Conversation>, Infallible> {
        Ok(self.guid.clone())
    }

    fn with_contact(&self, _: &str, _: i64, _: i64) -> Result<Vec<Conversation>, Infallible> {
        Ok(self.contact.clone())
    }

    fn beginning(&self, _: ConversationId) -> Result<Option<Beginning>, Infallible> {
        Ok(self.beginning.clone())
    }
}

fn conversation(id: i64, subject: &str) -> Conversation {
    Conversation {
        id: ConversationId(id),
        mailbox_id: MailboxId(1),
        mailbox_name: String::new(),
        contact: Contact {
            id: ContactId(1),
            address: "mia@example.org".to_owned(),
            name: String::new(),
            bounced_at: None,
        },
        subject: subject.to_owned(),
        status: Status::Open,
        assignee_id: None,
        assignee_name: None,
        message_count: 1,
        active_at: NOW - DAY,
        created_at: NOW - DAY,
        revision: 1,
    }
}

fn hit(id: i64, ours: bool) -> Hit {
    Hit {
        conversation_id: ConversationId(id),
        subject: None,
        ours,
    }
}

struct Said {
    own: Vec<String>,
    named: Vec<String>,
}

impl Said {
    fn new(own: &[&str], named: &[&str]) -> Self {
        let list = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Self {
            own: list(own),
            named: list(named),
        }
    }

    fn clues(&self, subject: &'static str) -> Clues<'_> {
        Clues {
            own_ids: &self.own,
            named_ids: &self.named,
            in_reply_to: 1,
            reported: None,
            thread_guid: None,
            subject,
            kind: Kind::Message,
            contact: "Mia@example.org",
            sent_at: NOW,
            new_subject_splits: true,
        }
    }
}

fn placed(clues: &Clues<'_>, known: &Known) -> (i64, PlacedBy) {
    let Ok(placement) = place(clues, known);
    (placement.conversation_id.map_or(0, |id| id.0), placement.by)
}

#[test]
fn ids_are_tried_nearest_first_and_named_after_what_they_lead_to() {
    let known = Known {
        ids: vec![
            ("own", hit(1, false)),
            ("near", hit(2, false)),
            ("far", hit(3, false)),
            ("ours", hit(4, true)),
        ],
        ..Known::default()
    };
    let try_ids =
        |own: &[&str], named: &[&str]| placed(&Said::new(own, named).clues("Re: a"), &known);
    assert_eq!(try_ids(&["own"], &["near"]), (1, PlacedBy::OwnId));
    assert_eq!(
        try_ids(&["new"], &["near", "far"]),
        (2, PlacedBy::InReplyTo)
    );
    assert_eq!(
        try_ids(&["new"], &["gone", "far"]),
        (3, PlacedBy::References)
    );
    assert_eq!(try_ids(&["new"], &["ours", "far"]), (4, PlacedBy::OurId));
    assert_eq!(try_ids(&["new"], &["gone"]), (0, PlacedBy::New));
}

#[test]
fn ids_that_lead_to_several_conversations_name_them_all() {
    let known = Known {
        ids: vec![
            ("own", hit(1, false)),
            ("near", hit(2, false)),
            ("far", hit(1, false)),
            ("old", hit(3, false)),
        ],
        ..Known::default()
    };
    let said = Said::new(&["own"], &["near", "gone", "far", "old"]);
    let Ok(placement) = place(&said.clues("Re: a"), &known);
    assert_eq!(placement.conversation_id, Some(ConversationId(1)));
    assert_eq!(placement.others, [ConversationId(2), ConversationId(3)]);
}

#[test]
fn a_report_belongs_to_its_reply() {
    let said = Said::new(&["new"], &[]);
    let clues = Clues {
        reported: Some(ConversationId(9)),
        kind: Kind::Bounce,
        ..said.clues("Undeliverable: a")
    };
    assert_eq!(placed(&clues, &Known::default()), (9, PlacedBy::Report));
}

#[test]
fn a_new_subject_in_a_quiet_conversation_begins_another_where_that_is_wished() {
    let mut old = hit(5, false);
    old.subject = Some("Re: Lamp, second delivery".to_owned());
    let mut quiet = conversation(5, "Broken lamp");
    quiet.active_at = NOW - 8 * DAY;
    let mut lively = conversation(6, "Broken lamp");
    lively.active_at = NOW - 2 * DAY;
    let known = Known {
        ids: vec![("old", old), ("lively", hit(6, false))],
        conversations: vec![quiet, lively],
        ..Known::default()
    };
    let (old, lively) = (Said::new(&["n"], &["old"]), Said::new(&["n"], &["lively"]));
    let split = (0, PlacedBy::NewSubject);
    let kept = (5, PlacedBy::InReplyTo);
    assert_eq!(placed(&old.clues("Parking permit"), &known), split);
    let stayed = (6, PlacedBy::InReplyTo);
    assert_eq!(placed(&lively.clues("Parking permit"), &known), stayed);
    // The subject of the conversation or of the answered message, in any dress.
    for same in [
        "AW: Broken lamp",
        "[EXTERN] broken LAMP",
        "Svar fra Mia: Broken lamp",
        "Re: Lamp, second delivery",
        "",
    ] {
        assert_eq!(placed(&old.clues(same), &known), kept, "{same}");
    }
    let short = Known {
        ids: vec![("old", hit(7, false))],
        conversations: vec![Conversation {
            active_at: NOW - 8 * DAY,
            ..conversation(7, "Hi")
        }],
        ..Known::default()
    };
    assert_eq!(placed(&old.clues("Shipping"), &short), split);
    let never = Clues {
        new_subject_splits: false,
        ..old.clues("Parking permit")
    };
    assert_eq!(placed(&never, &known), kept);
    let list = Clues {
        kind: Kind::List,
        ..old.clues("Parking permit")
    };
    assert_eq!(placed(&list, &known), kept);
}

#[test]
fn an_outlook_thread_counts_where_subject_or_contact_agree() {
    let known = Known {
        guid: vec![conversation(6, "Broken lamp")],
        ..Known::default()
    };
    let said = Said::new(&["n"], &[]);
    let with = |subject, contact| Clues {
        thread_guid: Some(&[1; 16]),
        contact,
        ..said.clues(subject)
    };
    let joined = (6, PlacedBy::ThreadIndex);
    assert_eq!(placed(&with("Broken lamp", "else@x.org"), &known), joined);
    assert_eq!(
        placed(&with("Re: Other", "mia@example.org"), &known),
        joined
    );
    let apart = (0, PlacedBy::New);
    assert_eq!(placed(&with("Other", "mia@example.org"), &known), apart);
    assert_eq!(placed(&with("Re: Other", "else@x.org"), &known), apart);
}

#[test]
fn a_subject_joins_only_a_person_to_what_the_same_contact_wrote_lately() {
    let mut long_ago = conversation(7, "Desk lamp 20");
    long_ago.active_at = NOW - 40 * DAY;
    let known = Known {
        contact: vec![
            long_ago,
            conversation(8, "Broken lamp"),
            conversation(9, "Hi"),
        ],
        ..Known::default()
    };
    let said = Said::new(&["n"], &["unknown"]);
    let joined = (8, PlacedBy::Subject);
    assert_eq!(placed(&said.clues("RE: broken lamp"), &known), joined);
    let apart = (0, PlacedBy::New);
    assert_eq!(placed(&said.clues("Broken lamp"), &known), apart);
    assert_eq!(placed(&said.clues("Re: Hi"), &known), apart);
    assert_eq!(placed(&said.clues("Re: Desk lamp 20"), &known), apart);
    for kind in [
        Kind::List,
        Kind::Notification,
        Kind::AutoReply,
        Kind::Bounce,
    ] {
        let machine = Clues {
            kind,
            ..said.clues("Re: Broken lamp")
        };
        assert_eq!(placed(&machine, &known), apart, "{kind:?}");
    }
}

/// What a conversation began with, when that was an answer of a person.
fn answer(subject: &str, names_others: bool) -> Option<Beginning> {
    Some(Beginning {
        subject: subject.to_owned(),
        kind: Kind::Message,
        names_others,
    })
}

#[test]
fn an_older_message_that_comes_later_is_drawn_to_the_answer_that_came_first() {
    let later = Conversation {
        created_at: NOW + 20 * DAY,
        active_at: NOW + 50 * DAY,
        ..conversation(8, "Broken lamp")
    };
    let said = Said::new(&["n"], &[]);
    let clues = said.clues("Broken lamp");
    let with = |one: &Conversation, beginning| {
        let known = Known {
            contact: vec![one.clone()],
            beginning,
            ..Known::default()
        };
        placed(&clues, &known)
    };
    let (joined, apart) = ((8, PlacedBy::Subject), (0, PlacedBy::New));
    assert_eq!(with(&later, answer("Re: Broken lamp", false)), joined);
    // It began by itself, or answers something that may yet come.
    assert_eq!(with(&later, answer("Broken lamp", false)), apart);
    assert_eq!(with(&later, answer("Re: Broken lamp", true)), apart);
    let long_after = Conversation {
        created_at: NOW + 40 * DAY,
        ..later.clone()
    };
    assert_eq!(with(&long_after, answer("Re: Broken lamp", false)), apart);
    let before = Conversation {
        created_at: NOW - DAY,
        ..later
    };
    assert_eq!(with(&before, answer("Re: Broken lamp", false)), apart);
}

#[test]
fn the_nearest_conversation_of_the_same_subject_is_joined() {
    let far = Conversation {
        created_at: NOW + 25 * DAY,
        active_at: NOW + 90 * DAY,
        ..conversation(5, "Broken lamp")
    };
    let known = Known {
        contact: vec![far, conversation(8, "Broken lamp")],
        ..Known::default()
    };
    let said = Said::new(&["n"], &[]);
    let joined = (8, PlacedBy::Subject);
    assert_eq!(placed(&said.clues("Re: Broken lamp"), &known), joined);
}

#[test]
fn an_older_message_is_let_go_by_what_began_later_under_a_subject_of_its_own() {
    let later = Conversation {
        created_at: NOW + 20 * DAY,
        active_at: NOW + 20 * DAY,
        ..conversation(6, "Parking permit")
    };
    let known = |one: Conversation| Known {
        ids: vec![("own", hit(6, false)), ("older", hit(3, false))],
        conversations: vec![one, conversation(3, "Broken lamp")],
        beginning: answer("Parking permit", true),
        ..Known::default()
    };
    let said = Said::new(&["own"], &["older"]);
    let clues = said.clues("Broken lamp");
    let Ok(placement) = place(&clues, &known(later.clone()));
    assert_eq!(placement.conversation_id, Some(ConversationId(3)));
    assert_eq!(placement.parted, [("own".to_owned(), ConversationId(6))]);
    assert!(placement.others.is_empty());
    // What answered soon, or under the same subject, holds on to it.
    let soon = Conversation {
        created_at: NOW + 2 * DAY,
        ..later.clone()
    };
    assert_eq!(placed(&clues, &known(soon)), (6, PlacedBy::OwnId));
    let same = Conversation {
        subject: "Broken lamp, again".to_owned(),
        ..later.clone()
    };
    assert_eq!(placed(&clues, &known(same)), (6, PlacedBy::OwnId));
    let never = Clues {
        new_subject_splits: false,
        ..clues
    };
    assert_eq!(placed(&never, &known(later)), (6, PlacedBy::OwnId));
}
