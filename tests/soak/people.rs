//! Customers who write, agents who answer on the pages, and colleagues who use Outlook beside it.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::book::{Book, Reply};
use crate::letters;
use crate::office::Office;
use crate::random::Random;
use crate::side::Desk;
use crate::web::{Browser, Cut, Page};

/// Customers of all mailboxes of an office, so many messages a minute together.
pub(crate) fn customers(office: &Office, book: &Book, mut random: Random, per_minute: usize) {
    let between = 60_000 / per_minute.max(1);
    while !book.is_over() {
        let desk = random.pick(&office.desks).clone();
        let burst = if random.percent(5) { 8 } else { 1 };
        for _ in 0..burst {
            let (letter, raw) = letters::incoming(book, &mut random, &desk.address);
            book.letter(letter);
            office.side.deliver(&desk, &raw);
            if random.percent(3) {
                // As when two ways lead into one mailbox.
                office.side.deliver(&desk, &raw);
                book.repeated.fetch_add(1, Ordering::SeqCst);
            }
        }
        let wait = random.between(between / 2, between * 3 / 2 + 2) * burst;
        book.rest(Duration::from_millis(wait as u64));
    }
}

/// Colleagues in Outlook: they answer there, and move mail away and back. In the end all is back.
pub(crate) fn colleagues(office: &Office, book: &Book, mut random: Random) {
    let mut away: Vec<Desk> = Vec::new();
    while !book.is_over() {
        let desk = random.pick(&office.desks).clone();
        match random.below(10) {
            0..=3 => {
                let (letter, raw) = letters::outlook(book, &mut random, &desk.address);
                book.letter(letter);
                office.side.file_sent(&desk, &raw);
            }
            4..=7 => {
                // The newest: perhaps it has not been read yet.
                let newest = office.side.uids(&desk, "INBOX").into_iter().max();
                let gone =
                    newest.is_some_and(|uid| office.side.carry(&desk, uid, "INBOX", desk.away));
                if gone {
                    book.moved.fetch_add(1, Ordering::SeqCst);
                    away.push(desk);
                }
            }
            _ if !away.is_empty() => {
                let desk = away.swap_remove(random.below(away.len()));
                bring_back(office, &desk);
            }
            _ => {}
        }
        book.rest(Duration::from_millis(random.between(300, 2_000) as u64));
    }
    for desk in &away {
        bring_back(office, desk);
    }
}

fn bring_back(office: &Office, desk: &Desk) {
    for uid in office.side.uids(desk, desk.away) {
        office.side.carry(desk, uid, desk.away, "INBOX");
    }
}

/// An agent who answers in all mailboxes of an office.
pub(crate) fn agent(office: &Office, book: &Book, mut random: Random, pause: Duration) {
    let mut browser = office.browser();
    while !book.is_over() {
        // Pages are gone while the program is started again; a person tries again.
        let _ = answer_one(office, &mut browser, book, &mut random);
        book.rest(pause.mul_f64(0.5 + random.below(100) as f64 / 100.0));
    }
}

fn answer_one(
    office: &Office,
    browser: &mut Browser,
    book: &Book,
    random: &mut Random,
) -> io::Result<()> {
    let at = random.below(office.desks.len());
    let view = if random.percent(15) {
        "&view=waiting"
    } else {
        ""
    };
    let list = browser.get(&format!("/?mailbox={}{view}", at + 1))?;
    let numbers = conversations(&list);
    if numbers.is_empty() {
        return Ok(());
    }
    let number = random.pick(&numbers).clone();
    let path = format!("/conversations/{number}");
    if random.percent(10) {
        let page = browser.get(&path)?;
        browser.post(&format!("{path}/closure"), &page, &[])?;
        return Ok(());
    }
    let mode = if random.percent(30) { "?write=all" } else { "" };
    let page = browser.get(&format!("{path}{mode}"))?;
    let Some(mut form) = Form::of(&page, book, random) else {
        return Ok(());
    };
    book.reply(Reply {
        mailbox: office.desks[at].address.clone(),
        token: form.token.clone(),
        key: form.fields["key"].clone(),
        recipients: form.recipients(),
        accepted: false,
    });
    press(browser, &format!("{path}/replies"), &mut form, book, random);
    Ok(())
}

/// The numbers of the conversations on a list.
fn conversations(list: &Page) -> Vec<String> {
    let links = list
        .body
        .split("class=\"entry-link\" href=\"/conversations/")
        .skip(1);
    let numbers: BTreeSet<String> = links
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect();
    numbers.into_iter().collect()
}

/// A filled-in reply.
struct Form {
    token: String,
    fields: std::collections::BTreeMap<&'static str, String>,
    file: Option<Vec<u8>>,
}

impl Form {
    fn of(page: &Page, book: &Book, random: &mut Random) -> Option<Self> {
        let token = format!("R{}", book.number());
        let mut fields = std::collections::BTreeMap::new();
        for name in [
            "csrf",
            "mode",
            "key",
            "seen",
            "instead_of",
            "to",
            "cc",
            "subject",
        ] {
            fields.insert(name, page.field(name)?);
        }
        let lines = random.between(1, 30);
        let text = format!(
            "{token} is what we say.\r\n{}",
            "It is on its way to you.\r\n".repeat(lines)
        );
        fields.insert("text", text);
        let then = *random.pick(&["waiting", "closed", "open"]);
        fields.insert("then", then.to_owned());
        if random.percent(50) {
            fields.insert("quote", "1".to_owned());
        }
        let size = random.between(1_000, 60_000);
        let file = random.percent(10).then(|| vec![b'x'; size]);
        Some(Self {
            token,
            fields,
            file,
        })
    }

    fn recipients(&self) -> Vec<String> {
        let both = format!("{},{}", self.fields["to"], self.fields["cc"]);
        let address = |one: &str| {
            let inside = one.split_once('<').map_or(one, |(_, rest)| rest);
            inside.trim_end_matches('>').trim().to_owned()
        };
        both.split(',')
            .map(address)
            .filter(|one| !one.trim().is_empty())
            .collect()
    }

    fn request(&self, browser: &Browser, path: &str) -> Vec<u8> {
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        browser.form(
            path,
            &fields,
            self.file.as_deref().map(|file| ("list.bin", file)),
        )
    }
}

/// Presses Send: once, twice at the same time, or with the line cut and then again, until the page says that
/// the reply is on its way or the person gives up.
fn press(browser: &mut Browser, path: &str, form: &mut Form, book: &Book, random: &mut Random) {
    let gives_up = if random.percent(20) {
        random.between(1, 3)
    } else {
        40
    };
    let cut = match random.below(100) {
        0..12 => Some(Cut::Half),
        12..26 => Some(Cut::Unread),
        _ => None,
    };
    if let Some(cut) = cut {
        book.cut.fetch_add(1, Ordering::SeqCst);
        let _ = browser.ask_cut(&form.request(browser, path), cut);
        book.pressed_again.fetch_add(1, Ordering::SeqCst);
    }
    let twice = random.percent(15);
    for _ in 0..gives_up {
        let request = form.request(browser, path);
        let answer = if twice {
            book.pressed_again.fetch_add(1, Ordering::SeqCst);
            let mut other = browser.clone();
            std::thread::scope(|scope| {
                let second = scope.spawn(|| other.ask(&request));
                let first = browser.ask(&request);
                let second = second.join().unwrap();
                first.or(second)
            })
        } else {
            browser.ask(&request)
        };
        match answer {
            Ok(page) if page.status == 303 && page.location.starts_with("/conversations/") => {
                book.accepted(&form.token);
                return;
            }
            // A customer wrote meanwhile: the person reads that and sends all the same.
            Ok(page) if page.status < 300 => {
                if let Some(seen) = page.field("seen") {
                    form.fields.insert("seen", seen);
                }
            }
            Ok(_) | Err(_) => {}
        }
        if book.is_over() {
            return;
        }
        book.rest(Duration::from_millis(random.between(200, 1_500) as u64));
    }
}
