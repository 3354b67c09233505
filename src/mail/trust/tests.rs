//! The rules together, as a page would ask them.

use super::*;

fn known() -> Known {
    Known {
        own_domains: vec!["harbourlights.example".to_owned()],
        colleagues: vec!["Ann Berg".to_owned(), "Ben".to_owned()],
        partners: vec![
            "quarry-offices.example".to_owned(),
            "firma.example".to_owned(),
        ],
    }
}

fn assess_text(fields: &str, is_first: bool) -> Assessment {
    let (parsed, _) = crate::mail::parse(format!("{fields}\r\n\r\nHello\r\n").as_bytes());
    assess(&evidence(&parsed, EXCHANGE), &known(), is_first)
}

fn found(fields: &str) -> Vec<(Severity, String)> {
    assess_text(fields, false)
        .findings
        .into_iter()
        .map(|finding| (finding.severity, finding.what))
        .collect()
}

const PASS: &str = "Authentication-Results: spf=pass smtp.mailfrom=x; dkim=pass header.d=x;dmarc=pass action=none;compauth=pass reason=100\r\n";
const FAIL: &str = "Authentication-Results: spf=fail smtp.mailfrom=x; dkim=none header.d=none;dmarc=fail action=oreject header.from=x;compauth=fail reason=000\r\n";

#[test]
fn honest_mail_is_quiet_and_names_who_confirmed_it() {
    let all = assess_text(&format!("{PASS}From: Eve <eve@tidepool.example>"), false);
    assert_eq!(all.findings, []);
    assert_eq!(all.confirmed.as_deref(), Some("tidepool.example"));
    // A domain that publishes nothing: nothing is confirmed, and nothing is wrong.
    let small = "Authentication-Results: spf=none; dkim=none;dmarc=none action=none;compauth=none reason=405\r\nFrom: e@small.example";
    assert_eq!(assess_text(small, false), Assessment::default());
    assert_eq!(found("From: e@small.example"), []);
}

#[test]
fn a_forged_sender_is_loud_and_a_list_or_forward_is_not() {
    assert_eq!(
        found(&format!("{FAIL}From: Bank <info@bank.example>")),
        [(Severity::Danger, "Not confirmed by bank.example".to_owned())]
    );
    for relay in [
        "List-Id: <talk.example.org>",
        "Resent-From: <me@home.example>",
    ] {
        assert_eq!(
            found(&format!("{FAIL}From: Bank <info@bank.example>\r\n{relay}")),
            [],
            "{relay}"
        );
    }
    let soft = FAIL
        .replace("oreject", "none")
        .replace("compauth=fail", "compauth=none");
    assert_eq!(
        found(&format!("{soft}From: x@bank.example")),
        [(Severity::Warn, "Not confirmed by bank.example".to_owned())]
    );
}

#[test]
fn our_own_address_from_outside_is_the_loudest_and_a_colleague_inside_is_quiet() {
    let own = "From: Harbour Lights Support <support@harbourlights.example>";
    assert_eq!(found(&format!("{FAIL}{own}"))[0].0, Severity::Danger);
    let inside = format!("X-MS-Exchange-Organization-AuthAs: Internal\r\n{FAIL}{own}");
    assert_eq!(found(&inside), []);
}

#[test]
fn a_first_message_is_told_quietly() {
    let all = assess_text(&format!("{PASS}From: e@tidepool.example"), true);
    assert_eq!(all.findings.len(), 1);
    assert_eq!(all.findings[0].severity, Severity::Info);
}

#[test]
fn names_that_hide_another_address_or_use_a_colleagues_name_are_seen() {
    assert_eq!(
        found(&format!(
            "{PASS}From: \"support@harbourlights.example\" <x@elsewhere.example>"
        ))[0]
            .0,
        Severity::Warn
    );
    assert_eq!(
        found(&format!(
            "{PASS}From: \"eve@tidepool.example\" <eve@mail.tidepool.example>"
        )),
        []
    );
    for name in ["Ann Berg", "BERG, Ann", "=?utf-8?Q?=D0=90nn_Berg?="] {
        let found = found(&format!(
            "{PASS}From: {name} <a@elsewhere.example>",
            name = quoted(name)
        ));
        assert_eq!(
            found,
            [(Severity::Warn, "Uses the name of Ann Berg".to_owned())],
            "{name}"
        );
    }
    // One word is anybody's name.
    assert_eq!(
        found(&format!("{PASS}From: Ben <ben@elsewhere.example>")),
        []
    );
}

fn quoted(name: &str) -> String {
    if name.contains(',') {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

#[test]
fn domains_that_look_like_known_ones_are_seen_and_others_are_not() {
    let of = |domain: &str| {
        found(&format!("{PASS}From: x@{domain}"))
            .first()
            .map(|(severity, _)| *severity)
    };
    for domain in [
        "harb0urlights.example",
        "harbour1ights.example",
        "xn--harburlights-0ph.example",
        "quany-offices.example",
        "firrna.example",
    ] {
        let loud = of(domain);
        let expected = match domain {
            "quany-offices.example" => None,
            "xn--harburlights-0ph.example" => loud,
            _ => Some(Severity::Danger),
        };
        assert_eq!(loud, expected, "{domain}");
    }
    for domain in [
        "harbourlight.example",
        "harbuorlights.example",
        "quarry-office.example",
    ] {
        assert_eq!(of(domain), Some(Severity::Warn), "{domain}");
    }
    for domain in [
        "mail.harbourlights.example",
        "harbourlights.example",
        "harbours.example",
        "fiona.example",
        "müller.example",
    ] {
        assert_eq!(of(domain), None, "{domain}");
    }
    // Cyrillic о and а.
    assert_eq!(
        of("h\u{430}rb\u{43e}urlights.example"),
        Some(Severity::Danger)
    );
    assert_eq!(of("p\u{430}ypal.example"), Some(Severity::Warn));
}

#[test]
fn an_answer_that_would_go_elsewhere_is_told() {
    assert_eq!(
        found(&format!(
            "{PASS}From: a@shop.example\r\nReply-To: a@help.shop.example"
        )),
        []
    );
    assert_eq!(
        found(&format!(
            "{PASS}From: a@shop.example\r\nReply-To: b@desk.example"
        )),
        [(Severity::Info, "Answers go to desk.example".to_owned())]
    );
    assert_eq!(
        found(&format!(
            "{PASS}From: d@quarry-offices.example\r\nReply-To: d.quarry@gmail.com"
        ))[0]
            .0,
        Severity::Warn
    );
}

#[test]
fn hostile_senders_are_read_without_harm() {
    let long = format!("{}.example", "a".repeat(5_000));
    assert_eq!(found(&format!("{PASS}From: x@{long}")), []);
    for from in [
        "x@",
        "@",
        "x@xn--",
        "x@[192.0.2.1]",
        "\"@.\" <x@y.example>",
        "x@-.example",
    ] {
        let _ = found(&format!("{FAIL}From: {from}"));
    }
}
