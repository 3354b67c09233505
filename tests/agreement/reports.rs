//! Delivery reports, compared with what is expected of them.

use serde_json::Value;

use super::judge::Judge;

impl Judge<'_> {
    /// Whether it was seen, for whom, why, and about which message.
    pub(crate) fn bounces(&mut self) {
        let canon = self.unit.canon.clone();
        let stated: Vec<&Value> = canon["bounce"].as_array().into_iter().flatten().collect();
        let other = |row: &&Value| {
            matches!(
                row["reason"].as_str(),
                Some("delivered" | "vacation" | "feedback")
            )
        };
        let is_other = !stated.is_empty() && stated.iter().all(other);
        let found: Vec<Value> = self.reading["bounce"]["recipients"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if !is_other {
            self.bounce_seen(&canon);
            self.bounce_statuses(&stated, &found);
        }
        self.bounce_recipients(&canon, &found);
        if let Some(wanted) = canon["bounce_temporary"].as_bool()
            && !found.is_empty()
        {
            let is_temporary = |row: &Value| {
                row["action"] == "delayed"
                    || row["status"].as_str().unwrap_or_default().starts_with('4')
            };
            let ours = found.iter().all(is_temporary);
            self.add("bounce temporary", ours == wanted, || {
                format!("wanted {wanted}, found {found:?}")
            });
        }
        if let Some(wanted) = self.wanted("bounce_original_message_id") {
            let ours = self.reading["bounce"]["original_message_id"].clone();
            self.add("bounce original", ours == wanted.as_str(), || {
                format!("wanted {wanted}, found {ours}")
            });
        }
    }

    fn bounce_seen(&mut self, canon: &Value) {
        let kind = self.found("kind").to_owned();
        match canon["is_bounce"].as_bool() {
            Some(true) => self.add("bounce seen", kind == "bounce", || format!("kind {kind}")),
            Some(false) => self.add("no bounce", kind != "bounce", || format!("kind {kind}")),
            None => {}
        }
    }

    fn bounce_statuses(&mut self, stated: &[&Value], found: &[Value]) {
        let statuses: Vec<&str> = found.iter().filter_map(|r| r["status"].as_str()).collect();
        let own = self.wanted("bounce_status");
        let rows = stated.iter().filter_map(|row| row["status"].as_str());
        for wanted in rows.chain(own.as_deref()) {
            if wanted.is_empty() || is_invented(wanted) {
                continue;
            }
            self.add("bounce status", statuses.contains(&wanted), || {
                format!("wanted {wanted}, found {statuses:?}")
            });
        }
    }

    fn bounce_recipients(&mut self, canon: &Value, found: &[Value]) {
        if !canon["bounce_recipients"].is_array() {
            return;
        }
        let sorted = |mut list: Vec<String>| {
            list.sort();
            list.dedup();
            list
        };
        let wanted = self.words("bounce_recipients");
        let wanted = sorted(wanted.iter().map(|who| who.to_lowercase()).collect());
        let ours = found.iter().filter_map(|row| row["address"].as_str());
        let ours = sorted(ours.map(str::to_lowercase).collect());
        self.add("bounce recipient", wanted == ours, || {
            format!("wanted {wanted:?}, found {ours:?}")
        });
    }
}

/// Sisimai invents codes of the form x.0.9xx where the report names none.
fn is_invented(status: &str) -> bool {
    let detail = status.split('.').nth(2);
    detail.is_some_and(|detail| detail.len() == 3 && detail.starts_with('9'))
}
