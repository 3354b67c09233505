//! What goes wrong: every few seconds something chosen by the seed, and mended again after a while.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mailhatch_simulator::Simulator;
use mailhatch_simulator::faults::{Action, Fault, Point};
use mailhatch_simulator::world::{Flag, Role, WrongSize};

use crate::interop::proxy::{End, Plan, Proxy, Way};
use crate::office::Office;
use crate::random::Random;
use crate::scripted;
use crate::side::{Desk, Kind, Side};

/// The way back from a fault.
type Mend<'a> = Box<dyn FnOnce() + 'a>;

/// The storm over some offices.
pub(crate) struct Storm<'a> {
    offices: &'a [Office],
    simulator: &'a Simulator,
    random: Random,
    mends: Vec<(Instant, Mend<'a>)>,
    /// How often each kind of fault struck.
    pub(crate) struck: BTreeMap<&'static str, usize>,
}

impl<'a> Storm<'a> {
    /// Nothing is wrong yet.
    pub(crate) fn new(offices: &'a [Office], simulator: &'a Simulator, random: Random) -> Self {
        Self {
            offices,
            simulator,
            random,
            mends: Vec::new(),
            struck: BTreeMap::new(),
        }
    }

    /// Lets something go wrong; says what.
    pub(crate) fn strike(&mut self) -> String {
        let office = self.random.pick(self.offices);
        let (kind, words) = match self.random.below(100) {
            0..24 => ("SIGKILL", kill(office)),
            24..28 => ("stop in order", restart(office)),
            28..60 => ("line", self.line(office)),
            60..80 => ("server's answer", self.script()),
            80..90 => ("mailbox changed", self.mailbox()),
            90..94 => ("token", self.tokens()),
            94..97 => ("disk full", self.disk(office)),
            _ => ("server stopped", self.servers()),
        };
        *self.struck.entry(kind).or_default() += 1;
        format!("{kind}: {words}")
    }

    /// Mends what has been wrong long enough.
    pub(crate) fn mend_due(&mut self) {
        let now = Instant::now();
        let (due, later) = self.mends.drain(..).partition(|(at, _)| *at <= now);
        self.mends = later;
        let due: Vec<(Instant, Mend<'a>)> = due;
        for (_, mend) in due {
            mend();
        }
    }

    /// Mends everything.
    pub(crate) fn end(mut self) -> BTreeMap<&'static str, usize> {
        for (_, mend) in self.mends.drain(..) {
            mend();
        }
        self.simulator.faults().clear();
        for office in self.offices {
            for line in [&office.imap, &office.smtp, &office.http] {
                line.set(Plan::PASS);
                line.end_all(End::Close);
            }
        }
        self.struck
    }

    fn later(&mut self, mend: impl FnOnce() + 'a) {
        let after = Duration::from_millis(self.random.between(1_000, 7_000) as u64);
        self.mends.push((Instant::now() + after, Box::new(mend)));
    }

    fn line(&mut self, office: &'a Office) -> String {
        let lines: [(&str, &'a Proxy); 3] = [
            ("IMAP", &office.imap),
            ("SMTP", &office.smtp),
            ("HTTP", &office.http),
        ];
        let (name, line) = *self.random.pick(&lines);
        let random = &mut self.random;
        let way = *random.pick(&[Way::ToServer, Way::ToClient]);
        let end = *random.pick(&[End::Close, End::Reset, End::Stall]);
        let most = *random.pick(&[200, 2_000, 20_000, 100_000]);
        let bytes = random.below(most) as u64;
        let plan = match random.below(12) {
            0 => Plan::REFUSE,
            1 => Plan::SILENCE,
            2 => Plan::RESET,
            3 => Plan::throttle(way, random.between(2_000, 50_000) as u64),
            4 => Plan::delay(Duration::from_millis(random.between(20, 300) as u64)),
            5 | 6 => {
                line.end_all(if end == End::Stall { End::Reset } else { end });
                return format!("{} {name} cut off", office.name);
            }
            _ => Plan::cut(way, bytes, end),
        };
        line.set(plan);
        self.later(move || line.set(Plan::PASS));
        format!("{} {name} {plan:?}", office.name)
    }

    fn pretended(&mut self) -> Option<Desk> {
        let find = |office: &&Office| matches!(office.side, Side::Pretend(_));
        let office = self.offices.iter().find(find)?;
        Some(self.random.pick(&office.desks).clone())
    }

    fn without_copies(&self) -> Option<String> {
        let mut desks = self.offices.iter().flat_map(|office| &office.desks);
        let found = desks.find(|desk| desk.kind == Kind::NoCopy);
        found.map(|desk| desk.address.clone())
    }

    fn script(&mut self) -> String {
        let (point, action) = scripted::one(&mut self.random);
        let who = self.pretended().map(|desk| desk.address);
        let who = if self.random.percent(60) { who } else { None };
        // Where no copies are filed, what becomes of a lost answer is a matter of its own.
        let (point, action, who) = match self.random.below(100) {
            0..10 => (Point::SmtpAccepted, Action::Close, self.without_copies()),
            10..25 => (Point::SmtpAccepted, Action::Close, who),
            _ => (point, action, who),
        };
        let times = Some(u32::try_from(self.random.between(1, 4)).unwrap());
        let words = format!("{point:?} {action:?}");
        self.simulator.faults().add(Fault {
            point,
            who,
            action,
            times,
        });
        words
    }

    fn mailbox(&mut self) -> String {
        let Some(desk) = self.pretended() else {
            return String::new();
        };
        let world = self.simulator.world();
        let address = desk.address.clone();
        let uids: Vec<u32> = world
            .folder(&address, "INBOX")
            .iter()
            .map(|one| one.uid)
            .collect();
        let newest = uids.last().copied().unwrap_or(1);
        let words = match self.random.below(11) {
            0 => {
                world.change_uid_validity(&address, "INBOX");
                "UIDVALIDITY of the inbox"
            }
            1 => {
                let sent = world.folder_name(&address, Role::Sent).unwrap();
                world.change_uid_validity(&address, &sent);
                "UIDVALIDITY of what was sent"
            }
            2 => {
                world.end_sessions(&address);
                "BYE to all its sessions"
            }
            3 => {
                world.set_flag(&address, "INBOX", newest, Flag::Seen, true);
                "read elsewhere"
            }
            4 => {
                world.set_stub(&address, "INBOX", newest + 1, true);
                world.set_stub(&address, "INBOX", newest, true);
                self.later(move || clear_marks(world, &address));
                "a stand-in for the newest message"
            }
            5 => {
                world.set_unfetchable(&address, "INBOX", newest, true);
                self.later(move || clear_marks(world, &address));
                "the newest message listed and not given"
            }
            6 => {
                world.set_breaks(&address, "INBOX", newest, true);
                self.later(move || clear_marks(world, &address));
                "hang-up at the newest message"
            }
            7 => {
                world.set_reported_size(&address, "INBOX", newest, 3);
                "a size far too small"
            }
            8 | 9 => {
                self.late_copies(&desk);
                "copies of what was sent come late"
            }
            _ => {
                world.set_quirks(|quirks| {
                    quirks.imap4rev2 = !quirks.imap4rev2;
                    quirks.wrong_size = WrongSize::All { times: 1, by: 50 };
                    quirks.messages_per_minute = Some(4);
                });
                self.later(move || {
                    world.set_quirks(|quirks| {
                        quirks.wrong_size = WrongSize::EveryThird;
                        quirks.messages_per_minute = None;
                    });
                });
                "IMAP4rev2 or not, wrong sizes, four messages a minute"
            }
        };
        format!("{} {words}", desk.address)
    }

    /// Exchange files the copies of what it takes now only after a while.
    fn late_copies(&mut self, desk: &Desk) {
        if !matches!(desk.kind, Kind::Work | Kind::German) {
            return;
        }
        let world = self.simulator.world();
        let (address, began) = (desk.address.clone(), world.submissions().len());
        world.update_user(&address, |user| user.smtp_sent_copy = false);
        self.later(move || {
            world.update_user(&address, |user| user.smtp_sent_copy = true);
            let sent = world.folder_name(&address, Role::Sent).unwrap();
            for submission in world.submissions().into_iter().skip(began) {
                if submission.mailbox == address && !submission.save_to_sent {
                    world.append(&address, &sent, &submission.raw, true);
                }
            }
        });
    }

    fn tokens(&mut self) -> String {
        let entra = self.simulator.entra();
        entra.expire_access_tokens();
        if self.random.percent(50) {
            for office in self.offices {
                office.http.set(Plan::REFUSE);
                self.later(move || office.http.set(Plan::PASS));
            }
            return "all access tokens ended, and Entra is out of reach".to_owned();
        }
        entra.set_token_lifetime(Some(20));
        self.later(move || entra.set_token_lifetime(None));
        "all access tokens ended, new ones live for 20 seconds".to_owned()
    }

    fn disk(&mut self, office: &'a Office) -> String {
        let room = self.random.between(0, 400_000) as u64;
        office.limit(&(office.largest_file() + room).to_string());
        self.later(move || office.limit("unlimited"));
        format!("{} room for {room} bytes", office.name)
    }

    fn servers(&mut self) -> String {
        let find = |office: &&Office| matches!(office.side, Side::Real(_));
        let Some(office) = self.offices.iter().find(find) else {
            return String::new();
        };
        let Side::Real(servers) = &office.side else {
            return String::new();
        };
        if self.random.percent(50) {
            servers.stop_imap();
            self.later(move || servers.start_imap());
            return "Dovecot".to_owned();
        }
        servers.stop_smtp();
        self.later(move || servers.start_smtp());
        "Postfix".to_owned()
    }
}

/// Lets every message of the inbox be given as it is.
fn clear_marks(world: &mailhatch_simulator::world::World, address: &str) {
    for stored in world.folder(address, "INBOX") {
        world.set_stub(address, "INBOX", stored.uid, false);
        world.set_unfetchable(address, "INBOX", stored.uid, false);
        world.set_breaks(address, "INBOX", stored.uid, false);
    }
}

fn kill(office: &Office) -> String {
    office.kill();
    office.start();
    office.name.to_owned()
}

fn restart(office: &Office) -> String {
    // With a disk that is full it could not say so with success.
    office.limit("unlimited");
    office.stop_in_order();
    office.start();
    office.name.to_owned()
}
