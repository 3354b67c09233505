//! What to fetch next from a folder: the cursor and the plan made from it. Pure; no I/O.
//!
//! A UID names a message only together with the folder's UIDVALIDITY (RFC 3501 §2.3.1.1). When that changes, or
//! when the server's UIDNEXT runs backwards, all UIDs we know are void and the folder is read anew; what we have
//! already is recognised by its content.

use super::Selected;

/// How far a folder has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The folder's UIDVALIDITY for which `next_uid` holds.
    pub uid_validity: u32,
    /// The first UID not taken yet.
    pub next_uid: u32,
}

/// Why a folder is read from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resync {
    /// It has never been read.
    FirstTime,
    /// Its UIDVALIDITY is another: the server numbers all messages anew (RFC 3501 §2.3.1.1).
    UidValidityChanged {
        /// The UIDVALIDITY of the cursor.
        was: u32,
        /// The UIDVALIDITY now.
        now: u32,
    },
    /// Its UIDNEXT is lower than before, which the protocol forbids; seen after a mailbox was restored.
    UidNextDecreased {
        /// The first UID we had not taken.
        was: u32,
        /// UIDNEXT now.
        now: u32,
    },
}

/// What a sync has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// List all UIDs, for the cursor is void.
    ResyncAll {
        /// Why.
        why: Resync,
    },
    /// List the UIDs from this one on.
    From(u32),
    /// Nothing new.
    Nothing,
}

/// What to do, given how far we are and what the server says of the folder.
#[must_use]
pub const fn plan(cursor: Option<Cursor>, selected: &Selected) -> Plan {
    let Some(cursor) = cursor else {
        return Plan::ResyncAll {
            why: Resync::FirstTime,
        };
    };
    if cursor.uid_validity != selected.uid_validity {
        return Plan::ResyncAll {
            why: Resync::UidValidityChanged {
                was: cursor.uid_validity,
                now: selected.uid_validity,
            },
        };
    }
    match selected.uid_next {
        // Some servers leave it out: only a listing can tell.
        None => Plan::From(cursor.next_uid),
        Some(now) if now < cursor.next_uid => Plan::ResyncAll {
            why: Resync::UidNextDecreased {
                was: cursor.next_uid,
                now,
            },
        },
        Some(now) if now == cursor.next_uid => Plan::Nothing,
        Some(_) => Plan::From(cursor.next_uid),
    }
}

impl Cursor {
    /// The cursor once `uid` is taken; it never goes back.
    #[must_use]
    pub fn past(self, uid: u32) -> Self {
        Self {
            next_uid: self.next_uid.max(uid.saturating_add(1)),
            ..self
        }
    }
}

/// Cuts a list of UIDs with their (estimated) sizes into batches of at most `max_count` messages and
/// `max_bytes`, in the order given. A message bigger than `max_bytes` makes a batch of its own.
#[must_use]
pub fn batches(sizes: &[(u32, u64)], max_count: usize, max_bytes: u64) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    let mut batch: Vec<u32> = Vec::new();
    let mut batch_bytes = 0_u64;
    for &(uid, bytes) in sizes {
        let full = batch.len() >= max_count.max(1) || batch_bytes.saturating_add(bytes) > max_bytes;
        if full && !batch.is_empty() {
            all.push(std::mem::take(&mut batch));
            batch_bytes = 0;
        }
        batch.push(uid);
        batch_bytes = batch_bytes.saturating_add(bytes);
    }
    if !batch.is_empty() {
        all.push(batch);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(uid_validity: u32, uid_next: Option<u32>) -> Selected {
        Selected {
            uid_validity,
            uid_next,
            exists: 3,
        }
    }

    const AT_10: Option<Cursor> = Some(Cursor {
        uid_validity: 14,
        next_uid: 10,
    });

    #[test]
    fn a_folder_never_read_is_read_from_its_beginning() {
        let why = Resync::FirstTime;
        assert_eq!(plan(None, &folder(14, Some(1))), Plan::ResyncAll { why });
    }

    #[test]
    fn nothing_is_listed_when_uidnext_has_not_moved() {
        assert_eq!(plan(AT_10, &folder(14, Some(10))), Plan::Nothing);
    }

    #[test]
    fn new_mail_is_listed_from_the_cursor() {
        assert_eq!(plan(AT_10, &folder(14, Some(12))), Plan::From(10));
    }

    #[test]
    fn a_server_that_names_no_uidnext_is_always_asked() {
        assert_eq!(plan(AT_10, &folder(14, None)), Plan::From(10));
    }

    #[test]
    fn another_uidvalidity_voids_the_cursor_whatever_uidnext_says() {
        for uid_next in [None, Some(1), Some(10), Some(99)] {
            let why = Resync::UidValidityChanged { was: 14, now: 15 };
            assert_eq!(plan(AT_10, &folder(15, uid_next)), Plan::ResyncAll { why });
        }
    }

    #[test]
    fn a_uidnext_running_backwards_voids_the_cursor() {
        let why = Resync::UidNextDecreased { was: 10, now: 9 };
        assert_eq!(plan(AT_10, &folder(14, Some(9))), Plan::ResyncAll { why });
    }

    #[test]
    fn the_cursor_never_goes_back_and_survives_the_last_uid() {
        let cursor = Cursor {
            uid_validity: 1,
            next_uid: 10,
        };
        assert_eq!(cursor.past(3).next_uid, 10);
        assert_eq!(cursor.past(10).next_uid, 11);
        assert_eq!(cursor.past(u32::MAX).next_uid, u32::MAX);
    }

    #[test]
    fn batches_keep_every_message_once_in_order_and_within_bounds() {
        // A small generator instead of a crate: what matters is many different shapes.
        let mut seed = 7_u64;
        let mut next = move |below: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..500 {
            let count = next(60);
            let sizes: Vec<(u32, u64)> = (0..count)
                .map(|i| (u32::try_from(i * 3 + 1).unwrap(), next(4000)))
                .collect();
            let max_count = usize::try_from(next(12)).unwrap();
            let max_bytes = next(9000);
            let made = batches(&sizes, max_count, max_bytes);
            let flat: Vec<u32> = made.iter().flatten().copied().collect();
            let all: Vec<u32> = sizes.iter().map(|(uid, _)| *uid).collect();
            assert_eq!(flat, all);
            for batch in &made {
                assert!(!batch.is_empty() && batch.len() <= max_count.max(1));
                let bytes: u64 = sizes
                    .iter()
                    .filter(|(uid, _)| batch.contains(uid))
                    .map(|(_, bytes)| bytes)
                    .sum();
                assert!(bytes <= max_bytes || batch.len() == 1);
            }
        }
    }

    #[test]
    fn a_huge_message_travels_alone() {
        let made = batches(&[(1, 10), (2, 1000), (3, 10)], 50, 100);
        assert_eq!(made, vec![vec![1], vec![2], vec![3]]);
    }
}
