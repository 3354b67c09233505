//! What is compared, area by area.

use serde_json::Value;

use super::text::{folded, missing_words, packed, short};
use super::unit::Unit;
use super::winmail;

/// Sources of ordinary mail, none of it a bounce or a machine's answer.
const ORDINARY: [&str; 9] = [
    "spamassassin-ham",
    "b4",
    "bigbang-archives",
    "notmuch-corpora",
    "patchwork",
    "perl-Mail-Box",
    "ietf-mailarchive",
    "perceval-mbox",
    "public-inbox",
];

/// One comparison.
pub(crate) struct Verdict {
    /// What was compared.
    pub(crate) area: &'static str,
    /// How it differs; `None` when it agrees.
    pub(crate) difference: Option<String>,
}

/// Compares one reading with all that is expected of it.
pub(crate) fn judge(unit: &Unit, reading: &Value) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut judge = Judge {
        unit,
        reading,
        verdicts: &mut verdicts,
    };
    judge.fields();
    judge.attachments();
    judge.texts();
    judge.replies();
    judge.forwards();
    judge.bounces();
    judge.machines();
    verdicts
}

/// Compares one area after the other.
pub(crate) struct Judge<'a> {
    pub(crate) unit: &'a Unit,
    pub(crate) reading: &'a Value,
    verdicts: &'a mut Vec<Verdict>,
}

impl Judge<'_> {
    pub(crate) fn add(
        &mut self,
        area: &'static str,
        agrees: bool,
        difference: impl FnOnce() -> String,
    ) {
        self.verdicts.push(Verdict {
            area,
            difference: (!agrees).then(difference),
        });
    }

    fn same_text(&mut self, area: &'static str, wanted: &str, found: &str) {
        let agrees = folded(wanted) == folded(found);
        self.add(area, agrees, || {
            format!("wanted «{}», found «{}»", short(wanted), short(found))
        });
    }

    pub(crate) fn found(&self, name: &str) -> &str {
        self.reading[name].as_str().unwrap_or_default()
    }

    pub(crate) fn wanted(&self, name: &str) -> Option<String> {
        self.unit.canon[name].as_str().map(str::to_owned)
    }

    fn list(&self, name: &str) -> Option<Vec<Value>> {
        self.unit.canon[name].as_array().cloned()
    }

    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        let list = self.list(name).unwrap_or_default();
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    fn fields(&mut self) {
        if let Some(wanted) = self.wanted("subject") {
            let found = self.found("subject").to_owned();
            self.same_text("subject", &wanted, &found);
        }
        if let Some(wanted) = self.wanted("base_subject") {
            let base = mailhatch::mail::thread::base_subject(self.found("subject"));
            self.same_text("base subject", &wanted, &base);
        }
        let from = self.reading["from"][0].clone();
        if let Some(wanted) = self.wanted("from_address") {
            let found = from["address"].as_str().unwrap_or_default();
            let agrees = wanted.eq_ignore_ascii_case(found);
            self.add("sender address", agrees, || {
                format!("wanted {wanted}, found {found}")
            });
        }
        if let Some(wanted) = self.wanted("from_name") {
            self.same_text(
                "sender name",
                &wanted,
                from["name"].as_str().unwrap_or_default(),
            );
        }
        if let Some(wanted) = self.list("addresses") {
            let to = self.reading["to"].as_array().cloned().unwrap_or_default();
            let found: Vec<Value> = to.iter().map(|who| who["address"].clone()).collect();
            self.add("address list", wanted == found, || {
                format!("wanted {wanted:?}, found {found:?}")
            });
        }
        if let Some(wanted) = self.unit.canon["address_count"].as_u64() {
            let to = self.reading["to"].as_array().cloned().unwrap_or_default();
            let usable = |who: &&Value| who["address"].as_str().is_some_and(|a| a.contains('@'));
            let found = to.iter().filter(usable).count() as u64;
            self.add("address list", wanted == found, || {
                format!("wanted {wanted}, found {to:?}")
            });
        }
        let date = self.unit.oracle["date"].as_str().and_then(instant);
        if let Some(wanted) = stated_date(&self.unit.expects["date"]).or(date) {
            let found = self.reading["date"].as_str().and_then(instant);
            let text = self.found("date").to_owned();
            self.add("date", found == Some(wanted), || {
                format!("wanted {wanted}, found {text}")
            });
        }
    }

    fn attachments(&mut self) {
        let files = self.reading["attachments"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let names: Vec<&str> = files
            .iter()
            .filter_map(|file| file["filename"].as_str())
            .collect();
        if let Some(wanted) = self.unit.canon["attachment_count"].as_u64() {
            let found = files.len() as u64;
            let aside = files.iter().filter(|file| file["inline"] == false).count() as u64;
            // Sources disagree on whether a picture inside the text is an attachment.
            let agrees = wanted == found || wanted == aside;
            self.add("attachment count", agrees, || {
                format!("wanted {wanted}, found {found} ({aside} not inline): {names:?}")
            });
        }
        if let Some(wanted) = self.list("attachment_names") {
            for name in wanted.iter().filter_map(Value::as_str) {
                let agrees = names
                    .iter()
                    .any(|found| file_name(found) == file_name(name));
                self.add("attachment name", agrees, || {
                    format!("wanted «{name}», found {names:?}")
                });
            }
        }
        for (key, ours, area) in [
            ("attachment_sizes", "size_bytes", "attachment size"),
            ("attachment_sha256", "sha256", "attachment content"),
        ] {
            for wanted in self.list(key).unwrap_or_default() {
                let agrees = files.iter().any(|file| file[ours] == wanted);
                let found: Vec<&Value> = files.iter().map(|file| &file[ours]).collect();
                self.add(area, agrees, || format!("wanted {wanted}, found {found:?}"));
            }
        }
        for wanted in self.list("tnef_files").unwrap_or_default() {
            let difference = winmail::difference(&self.unit.raw, &wanted);
            let agrees = difference.is_none();
            self.add("winmail.dat", agrees, || difference.unwrap_or_default());
        }
    }

    fn texts(&mut self) {
        let text = self.found("text").to_owned();
        // Where a message has both forms, some sources state the words of one, some of the other.
        let rich = mailhatch::mail::html::to_text(self.found("html"));
        let stated = [
            self.wanted("text"),
            self.wanted("visible_text_collapsed"),
            self.wanted("rendered_text").map(|text| unrendered(&text)),
        ];
        for wanted in stated.into_iter().flatten() {
            // What Zammad shows in place of an empty text.
            if wanted == "no visible content" {
                continue;
            }
            let lacks = |text: &str| missing_words(&wanted, text);
            let (plain, rich) = (lacks(&text), lacks(&rich));
            let missing = if rich.len() < plain.len() {
                rich
            } else {
                plain
            };
            let few = missing.len() * 50 <= wanted.split_whitespace().count();
            self.add("text", few, || {
                format!("lacks {:?}", missing.iter().take(8).collect::<Vec<_>>())
            });
        }
        for wanted in self.words("text_contains") {
            self.add("text", folded(&text).contains(&folded(&wanted)), || {
                format!("lacks «{}»", short(&wanted))
            });
        }
        if let Some(wanted) = self.wanted("text_endswith") {
            self.add("text", folded(&text).ends_with(&folded(&wanted)), || {
                format!("does not end with «{}»", short(&wanted))
            });
        }
    }

    fn replies(&mut self) {
        let found = self.found("reply_text").to_owned();
        if let Some(wanted) = self.wanted("reply_text") {
            let first_only = self.unit.canon["reply_is_first_fragment_only"] == true;
            let agrees = if first_only {
                packed(&found).starts_with(&packed(&wanted))
            } else {
                packed(&found) == packed(&wanted)
            };
            let whole = self.wanted("forward_text");
            let agrees =
                agrees || whole.is_some_and(|whole| missing_words(&whole, &found).is_empty());
            self.add("reply equal", agrees, || {
                format!("wanted «{}», found «{}»", short(&wanted), short(&found))
            });
            self.not_lost(&wanted, &found);
        }
        if let Some(html) = self.wanted("reply_of_html") {
            let wanted = mailhatch::mail::html::to_text(&html);
            let agrees = packed(&found) == packed(&wanted);
            self.add("reply equal (HTML)", agrees, || {
                format!("wanted «{}», found «{}»", short(&wanted), short(&found))
            });
            self.not_lost(&wanted, &found);
        }
        if let Some(wanted) = self.wanted("reply_markdown") {
            let plain = |text: &str| packed(&own_lines(text)).replace(['*', '_'], "");
            let agrees = plain(&wanted) == plain(&found);
            self.add("reply equal", agrees, || {
                format!("wanted «{}», found «{}»", short(&wanted), short(&found))
            });
            self.not_lost(&wanted, &found);
        }
        self.reply_parts(&found);
    }

    /// Sources that state only how a reply begins or ends, or a word in it.
    fn reply_parts(&mut self, found: &str) {
        let folded_reply = folded(found);
        for key in [
            "reply_contains",
            "reply_startswith",
            "reply_endswith_keeping_signoff",
        ] {
            for wanted in self.words(key) {
                let wanted = folded(&wanted);
                let agrees = match key {
                    "reply_startswith" => folded_reply.starts_with(&wanted),
                    "reply_contains" => folded_reply.contains(&wanted),
                    _ => folded_reply.ends_with(&wanted),
                };
                self.add("reply parts", agrees, || {
                    format!("{key} «{wanted}», found «{}»", short(found))
                });
            }
        }
        // A closing and a name below it are the writer's words: the expectation that keeps them counts.
        if self.words("reply_endswith_keeping_signoff").is_empty() {
            for wanted in self.words("reply_endswith") {
                self.add(
                    "reply parts",
                    folded_reply.contains(&folded(&wanted)),
                    || format!("reply_endswith «{wanted}», found «{}»", short(found)),
                );
            }
        }
        for unwanted in self.words("reply_not_contains") {
            self.add(
                "reply parts",
                !folded_reply.contains(&folded(&unwanted)),
                || format!("contains «{unwanted}»"),
            );
        }
    }

    fn not_lost(&mut self, wanted: &str, found: &str) {
        let missing = missing_words(&own_lines(wanted), found);
        self.add("reply without loss", missing.is_empty(), || {
            format!(
                "lost {:?} of «{}», found «{}»",
                missing.iter().take(8).collect::<Vec<_>>(),
                short(wanted),
                short(found)
            )
        });
    }

    fn forwards(&mut self) {
        if self.unit.canon["forwarded"] != true {
            return;
        }
        if let Some(body) = self.wanted("forwarded_body") {
            let found = self.found("reply_text").to_owned();
            let missing = missing_words(&body, &found);
            self.add("forward kept whole", missing.is_empty(), || {
                format!(
                    "lost {:?}, found «{}»",
                    missing.iter().take(8).collect::<Vec<_>>(),
                    short(&found)
                )
            });
        }
    }

    fn machines(&mut self) {
        let kind = self.found("kind").to_owned();
        let vacation = self.unit.canon["bounce"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|b| b["reason"] == "vacation");
        if self.unit.canon["is_automatic"] == true || vacation {
            self.add("auto-reply seen", kind != "message", || {
                format!("kind {kind}")
            });
        }
        // A complaint and a receipt speak of a message that arrived.
        for (key, area) in [
            ("is_complaint", "complaint seen"),
            ("is_mdn", "receipt seen"),
        ] {
            if self.unit.canon[key] == true {
                self.add(area, kind == "notification", || format!("kind {kind}"));
            }
        }
        if let Some(wanted) = self.unit.canon["is_bounce_or_autoresponse"].as_bool() {
            let ours = matches!(kind.as_str(), "bounce" | "auto_reply");
            self.add("bounce or auto-reply", ours == wanted, || {
                format!("kind {kind}")
            });
        }
        if ORDINARY.contains(&self.unit.source.as_str()) {
            let ordinary = !matches!(kind.as_str(), "bounce" | "auto_reply");
            let subject = self.found("subject").to_owned();
            self.add("ordinary mail left alone", ordinary, || {
                format!("kind {kind}, subject «{}»", short(&subject))
            });
        }
    }
}

/// The lines that are not marked as quoted: some sources keep what is quoted between inline answers,
/// but its writer did not write that.
fn own_lines(text: &str) -> String {
    let own = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('>'));
    own.collect::<Vec<_>>().join("\n")
}

/// A file name as far as programs agree on it: what may not stand in a name on some disk is an underscore
/// to one and a space to the next.
fn file_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || matches!(c, '.' | '-' | '@') {
            c
        } else {
            '_'
        }
    };
    folded(name).chars().map(plain).collect()
}

/// A message as a mail program shows it, without the fields above its text, the files below it and the
/// addresses of links.
fn unrendered(text: &str) -> String {
    let body = text.split_once("\n\n").map_or("", |(_, body)| body);
    let is_file = |line: &str| {
        let size = line.rsplit_once(", ").map_or("", |(_, size)| size);
        line.starts_with("- ")
            && size.ends_with(['B', 's'])
            && size.starts_with(|c: char| c.is_ascii_digit())
    };
    let lines = body.lines().filter(|line| !is_file(line));
    let words = lines.flat_map(str::split_whitespace).filter(|word| {
        let word = word.trim_start_matches('(');
        !["http:", "https:", "mailto:", "#"]
            .iter()
            .any(|scheme| word.starts_with(scheme))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// An RFC 3339 time, or one without a zone, as unix seconds.
fn instant(text: &str) -> Option<i64> {
    let with_zone = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.timestamp());
    with_zone.ok().or_else(|| {
        Some(
            chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")
                .ok()?
                .and_utc()
                .timestamp(),
        )
    })
}

/// A date as mail-parser's tests state it.
fn stated_date(date: &Value) -> Option<i64> {
    let number = |name: &str| date[name].as_i64();
    let day = chrono::NaiveDate::from_ymd_opt(
        i32::try_from(number("year")?).ok()?,
        u32::try_from(number("month")?).ok()?,
        u32::try_from(number("day")?).ok()?,
    )?;
    let seconds = number("hour")? * 3600 + number("minute")? * 60 + number("second")?;
    let zone = number("tz_hour")? * 3600 + number("tz_minute")? * 60;
    let zone = if date["tz_before_gmt"] == true {
        -zone
    } else {
        zone
    };
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp() + seconds - zone)
}
