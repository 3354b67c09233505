use super::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn read(text: &str) -> Query {
    parse(text, day(2027, 1, 15))
}

/// The terms as `field:words`, a minus before those that must not be there.
fn terms(text: &str) -> Vec<String> {
    let show = |term: &Term| {
        let not = if term.not { "-" } else { "" };
        let star = if term.begins { "*" } else { "" };
        format!("{not}{}{}{star}", term.field.mark(), term.words.join("+"))
    };
    read(text).terms.iter().map(show).collect()
}

#[test]
fn words_phrases_and_what_must_not_be_there() {
    for (text, expected) in [
        ("broken lamp", vec!["broken", "lamp"]),
        ("\"broken lamp\" -chair", vec!["broken+lamp", "-chair"]),
        (
            "„kaputte Lampe“ «lampe cassée»",
            vec!["kaputte+lampe", "lampe+cassee"],
        ),
        ("\"not closed", vec!["not+closed"]),
        ("-\"two words\" INV-2027", vec!["-two+words", "inv+2027"]),
        ("lamp* la*", vec!["lamp*", "la"]),
        ("退款单 \"退款 单\"", vec!["退款+款单", "退款+款+单"]),
        ("猫", vec!["猫*"]),
        ("- -- \"\" * : () '", vec![]),
    ] {
        assert_eq!(terms(text), expected, "{text}");
    }
}

#[test]
fn operators_in_all_their_spellings() {
    assert_eq!(
        terms("from:Mia TO:\"Jo Ray\" Subject: invoice -from:boss@x.example from:mia@shop.example"),
        [
            "f=mia",
            "t=jo+t=ray".replace("+t=", "+").as_str(),
            "s=invoice",
            "-f=boss+x+example",
            "f=mia+shop+example"
        ]
    );
    let query = read(
        "mailbox:sales -status:closed status:open assignee:me assignee:Bob has:attachment after:2026-03-05 before:31.12.2026",
    );
    assert_eq!(
        query.mailboxes,
        [Wanted {
            value: "sales".to_owned(),
            not: false
        }]
    );
    assert_eq!(
        query.statuses,
        [
            Wanted {
                value: Status::Closed,
                not: true
            },
            Wanted {
                value: Status::Open,
                not: false
            }
        ]
    );
    let who: Vec<_> = query
        .assignees
        .iter()
        .map(|one| one.value.clone())
        .collect();
    assert_eq!(who, [Assignee::Me, Assignee::Named("Bob".to_owned())]);
    assert_eq!(query.has_attachment, Some(true));
    assert_eq!(
        (query.after, query.before),
        (Some(day(2026, 3, 5)), Some(day(2026, 12, 31)))
    );
    assert!(query.remarks.is_empty() && query.terms.is_empty());
}

#[test]
fn days_in_the_ways_people_write_them() {
    for (text, expected) in [
        ("2026", Some(day(2026, 1, 1))),
        ("2026-03", Some(day(2026, 3, 1))),
        ("2026/3/9", Some(day(2026, 3, 9))),
        ("9.3.2026", Some(day(2026, 3, 9))),
        ("today", Some(day(2027, 1, 15))),
        ("yesterday", Some(day(2027, 1, 14))),
        ("3/9/2026", None),
        ("2026-02-30", None),
        ("soon", None),
        ("99999", None),
        ("-1", None),
        ("0001-01-01", None),
    ] {
        let query = read(&format!("after:{text}"));
        assert_eq!(query.after, expected, "{text}");
        assert_eq!(
            query.remarks.len(),
            usize::from(expected.is_none()),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_understood_is_said_and_the_rest_is_searched() {
    let query = read("tag:urgent lamp");
    assert_eq!(query.remarks, [Remark::UnknownOperator("tag".to_owned())]);
    assert_eq!(terms("tag:urgent lamp"), ["tag+urgent", "lamp"]);
    for (text, words) in [
        ("status:asleep", "open, waiting"),
        ("has:wings", "attachment"),
        ("after:soon", "2027-01-31"),
        ("from:", "from:mia"),
        ("subject:!!", "a word or a name"),
    ] {
        let query = read(text);
        let said: Vec<String> = query.remarks.iter().map(ToString::to_string).collect();
        assert!(
            said.len() == 1 && said[0].contains(words),
            "{text}: {said:?}"
        );
        assert!(query.is_empty(), "{text}");
    }
    for plain in ["Re: lamp", "https://shop.example/lamp", "12:30", "a:b"] {
        assert!(read(plain).remarks.is_empty(), "{plain}");
    }
}

#[test]
fn a_question_without_end_is_cut_and_it_is_said() {
    let query = read(&"lamp ".repeat(500));
    assert_eq!(
        (query.terms.len(), query.remarks),
        (TERMS_MAX, vec![Remark::TooLong])
    );
}

#[test]
fn whatever_is_typed_only_words_in_quotation_marks_are_asked_for() {
    let nasty = [
        "\"",
        "\"\"\"",
        "a\"b",
        "NEAR(a b)",
        "a AND OR NOT b",
        "{s}: x",
        "^a",
        "words:a",
        "a + b",
        "(((",
        "'; DROP TABLE",
        "\0\u{1}",
        "-",
        "-from:",
        "from:\"",
        "*",
        "a* *b",
        "\u{202e}abc",
        "😀",
        "a=b",
        "m=1",
        "%",
        "\\",
        "-\"-\"",
    ];
    for text in nasty {
        for term in read(text).terms {
            for width in [Width::Head, Width::Exact, Width::Forms] {
                let asked = term.expression(width);
                let outside: String = asked.split('"').step_by(2).collect();
                let outside = outside.replace("OR", "");
                assert!(
                    outside.chars().all(|sign| " ()*".contains(sign)),
                    "{text}: {asked}"
                );
            }
        }
    }
}

#[test]
fn a_number_and_a_message_id_lead_somewhere() {
    let number = |id, sure| {
        Some(Jump::Number {
            id: ConversationId(id),
            sure,
        })
    };
    let message = |id: &str| Some(Jump::MessageId(id.to_owned()));
    assert_eq!(jump(" #123 "), number(123, true));
    assert_eq!(jump("123"), number(123, false));
    assert_eq!(jump("<a.b@x>"), message("a.b@x"));
    assert_eq!(jump("Message-ID: <a.b@x>"), message("a.b@x"));
    for text in [
        "",
        "#",
        "12a",
        "#1 2",
        "1234567890123",
        "a b@x",
        "from:\"a@x\"",
        "é",
    ] {
        assert_eq!(jump(text), None, "{text}");
    }
}
