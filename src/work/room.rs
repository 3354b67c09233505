//! Room in memory for mail on its way from the servers into the store, shared by all mailboxes, so that twenty
//! first imports at once take little more than one.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of mail on their way at once.
const ROOM_BYTES: u64 = 32 * 1024 * 1024;
/// A batch up to this size goes at once: mail as it comes day by day waits for nobody's import.
const SMALL_BYTES: u64 = 256 * 1024;
/// How long a batch waits at most. Room may be held by servers that are slow, and no mailbox waits for
/// another's.
const PATIENCE: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug)]
pub(super) struct Room {
    left: Mutex<u64>,
    freed: Condvar,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            left: Mutex::new(ROOM_BYTES),
            freed: Condvar::new(),
        }
    }
}

/// Room that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    /// Takes room for so many bytes, as soon as there is some; after a while in any case. What is larger than
    /// all the room has all of it.
    pub(super) fn take(&self, bytes: u64) -> Place<'_> {
        self.take_within(bytes, PATIENCE)
    }

    fn take_within(&self, bytes: u64, patience: Duration) -> Place<'_> {
        let bytes = bytes.min(ROOM_BYTES);
        if bytes <= SMALL_BYTES {
            return Place {
                room: self,
                bytes: 0,
            };
        }
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut left, waited) = self
            .freed
            .wait_timeout_while(left, patience, |left| *left < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        let bytes = if waited.timed_out() { 0 } else { bytes };
        *left = left.saturating_sub(bytes);
        Place { room: self, bytes }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            let mut left = self
                .room
                .left
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *left = left.saturating_add(self.bytes);
            drop(left);
            self.room.freed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn left(room: &Room) -> u64 {
        *room.left.lock().unwrap()
    }

    #[test]
    fn all_that_is_taken_is_given_back() {
        let room = Room::default();
        let places: Vec<Place<'_>> = (0..4).map(|_| room.take(ROOM_BYTES / 4)).collect();
        assert_eq!(left(&room), 0);
        drop(places);
        assert_eq!(left(&room), ROOM_BYTES);
        drop(room.take(ROOM_BYTES * 9));
        assert_eq!(left(&room), ROOM_BYTES);
    }

    #[test]
    fn small_batches_wait_for_nobody_and_large_ones_not_for_ever() {
        let room = Room::default();
        let _all = room.take(ROOM_BYTES);
        let _small = room.take(SMALL_BYTES);
        let impatient = room.take_within(ROOM_BYTES, Duration::from_millis(1));
        assert_eq!(impatient.bytes, 0);
    }

    #[test]
    fn who_waits_goes_on_when_room_is_given_back() {
        let room = Room::default();
        let first = room.take(ROOM_BYTES);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| room.take_within(ROOM_BYTES / 2, LONG).bytes);
            drop(first);
            assert_eq!(second.join().unwrap(), ROOM_BYTES / 2);
        });
    }
}
