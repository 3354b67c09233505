//! How boldly a folder is fetched from. A message at which the session breaks again and again is found,
//! by fetching one by one, and passed by, so that it does not keep those behind it.

use crate::model::FolderId;

/// How often one message is tried before it is passed by.
const TRIES: u32 = 3;
/// After so many messages passed by, with none fetched in between, the server is to blame and not the
/// messages.
const PASSED_BY_MAX: u32 = 5;

/// What is remembered from one session to the next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// Between these UIDs of a folder messages are fetched one by one.
    careful: Option<(FolderId, u32, u32)>,
    /// The message at which the session broke last, and how often.
    stumbled: Option<(FolderId, u32, u32)>,
    passed_by: u32,
}

/// What to do after a FETCH that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// Try again in a new session.
    TryAgain,
    /// Set this message aside and go on behind it.
    PassBy(u32),
}

impl Pace {
    /// Whether this message is to be fetched alone.
    pub(super) fn is_careful(&self, folder: FolderId, uid: u32) -> bool {
        self.careful.is_some_and(|(careful, from, until)| {
            careful == folder && (from..=until).contains(&uid)
        })
    }

    /// A batch has come.
    pub(super) fn went_well(&mut self) {
        self.stumbled = None;
        self.passed_by = 0;
    }

    /// The session broke at this batch.
    pub(super) fn broke(&mut self, folder: FolderId, batch: &[u32]) -> Advice {
        let [uid] = *batch else {
            let from = batch.iter().min().copied().unwrap_or(0);
            let until = batch.iter().max().copied().unwrap_or(0);
            self.careful = Some((folder, from, until));
            return Advice::TryAgain;
        };
        let before = self
            .stumbled
            .filter(|(at, known, _)| *at == folder && *known == uid)
            .map_or(0, |(_, _, times)| times);
        let times = before.saturating_add(1);
        if times < TRIES || self.passed_by >= PASSED_BY_MAX {
            self.stumbled = Some((folder, uid, times));
            return Advice::TryAgain;
        }
        self.stumbled = None;
        self.passed_by += 1;
        Advice::PassBy(uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INBOX: FolderId = FolderId(1);

    #[test]
    fn after_a_broken_batch_its_messages_are_fetched_one_by_one_and_later_ones_are_not() {
        let mut pace = Pace::default();
        assert_eq!(pace.broke(INBOX, &[3, 4, 9]), Advice::TryAgain);
        assert!(pace.is_careful(INBOX, 3) && pace.is_careful(INBOX, 9));
        assert!(
            !pace.is_careful(INBOX, 10)
                && !pace.is_careful(INBOX, 2)
                && !pace.is_careful(FolderId(2), 3)
        );
    }

    #[test]
    fn the_third_time_a_message_is_passed_by() {
        let mut pace = Pace::default();
        assert_eq!(pace.broke(INBOX, &[4]), Advice::TryAgain);
        assert_eq!(pace.broke(INBOX, &[4]), Advice::TryAgain);
        assert_eq!(pace.broke(INBOX, &[4]), Advice::PassBy(4));
        assert_eq!(pace.broke(INBOX, &[4]), Advice::TryAgain, "counted anew");
    }

    #[test]
    fn what_breaks_at_every_message_is_not_blamed_on_the_messages() {
        let mut pace = Pace::default();
        let broken = |pace: &mut Pace, uid: u32| {
            (0..10).any(|_| pace.broke(INBOX, &[uid]) == Advice::PassBy(uid))
        };
        for uid in 1..=PASSED_BY_MAX {
            assert!(broken(&mut pace, uid));
        }
        assert!(!broken(&mut pace, 99));
        pace.went_well();
        assert!(broken(&mut pace, 99));
    }
}
