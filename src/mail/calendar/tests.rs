//! Invitations as real programs write them, and hostile ones.

use super::*;

/// An event between the lines that every calendar has.
fn event(lines: &str) -> Calendar {
    calendar("", lines)
}

fn calendar(before: &str, lines: &str) -> Calendar {
    let text = format!(
        "BEGIN:VCALENDAR\r\n{before}\r\nBEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        lines.replace('\n', "\r\n")
    );
    read(&text).expect("an event")
}

#[test]
fn an_invitation_is_read_with_folded_lines_and_alarms_left_aside() {
    let text = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Plan\\, \r\n then act\r\n\
                DTSTART;TZID=\"W. Europe Standard Time\":20240501T090000\r\nDTEND:20240501T100000Z\r\n\
                ORGANIZER;CN=\"Ada: L\":MAILTO:ada@example.com\r\nATTENDEE:mailto:b@example.com\r\n\
                BEGIN:VALARM\r\nSUMMARY:alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let calendar = read(text).unwrap();
    assert_eq!(calendar.summary, "Plan, then act");
    assert_eq!(calendar.start, "2024-05-01T09:00:00+02:00");
    assert_eq!(calendar.end, "2024-05-01T10:00:00Z");
    assert_eq!(calendar.organizer, "ada@example.com");
    assert_eq!(calendar.organizer_name, "Ada: L");
    assert_eq!(calendar.attendees, ["b@example.com"]);
    assert_eq!(
        (calendar.method.as_str(), calendar.uid.as_str()),
        ("REQUEST", "1")
    );
    assert_eq!(calendar.purpose(), "Invitation");
}

#[test]
fn a_calendar_without_events_is_none() {
    assert_eq!(read("BEGIN:VCALENDAR\r\nEND:VCALENDAR"), None);
    assert_eq!(read(""), None);
    assert_eq!(read("END:VEVENT\nEND:VEVENT\nBEGIN:"), None);
}

#[test]
fn zones_are_known_by_their_iana_windows_and_displayed_names() {
    for (zone, start) in [
        ("Europe/Berlin", "2024-07-01T09:00:00+02:00"),
        ("W. Europe Standard Time", "2024-07-01T09:00:00+02:00"),
        ("Eastern Standard Time", "2024-07-01T09:00:00-04:00"),
        ("FLE", "2024-07-01T09:00:00+03:00"),
        ("India Standard Time", "2024-07-01T09:00:00+05:30"),
        (
            "/mozilla.org/20050126_1/America/New_York",
            "2024-07-01T09:00:00-04:00",
        ),
        (
            "(UTC-08:00) Pacific Time (US & Canada)",
            "2024-07-01T09:00:00-07:00",
        ),
        ("tzone://Microsoft/Utc", "2024-07-01T09:00:00Z"),
        ("GMT+2", "2024-07-01T09:00:00+02:00"),
        ("Nowhere at all", "2024-07-01T09:00:00 Nowhere at all"),
    ] {
        let found = event(&format!("DTSTART;TZID={zone}:20240701T090000"));
        assert_eq!(found.start, start, "{zone}");
    }
    assert_eq!(
        event("DTSTART:20240701T090000").start,
        "2024-07-01T09:00:00"
    );
    let usual = calendar("X-WR-TIMEZONE:Asia/Tokyo", "DTSTART:20240701T090000");
    assert_eq!(usual.start, "2024-07-01T09:00:00+09:00");
}

#[test]
fn a_time_that_happens_twice_is_the_first_and_one_that_never_does_is_by_the_clock_before() {
    let twice = event("DTSTART;TZID=Europe/Berlin:20241027T023000");
    assert_eq!(twice.start, "2024-10-27T02:30:00+02:00");
    let never = event("DTSTART;TZID=Europe/Berlin:20240331T023000");
    assert_eq!(never.start, "2024-03-31T02:30:00+01:00");
}

#[test]
fn a_zone_of_the_senders_own_is_computed_from_its_rules() {
    let zone = "BEGIN:VTIMEZONE\r\nTZID:Customized Time Zone\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\n\
                TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n\
                BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n\
                RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE";
    for (time, offset) in [
        ("20240330T090000", "2024-03-30T09:00:00+01:00"),
        ("20240331T090000", "2024-03-31T09:00:00+02:00"),
        ("20241026T090000", "2024-10-26T09:00:00+02:00"),
        ("20241027T090000", "2024-10-27T09:00:00+01:00"),
    ] {
        let found = calendar(zone, &format!("DTSTART;TZID=Customized Time Zone:{time}"));
        assert_eq!(found.start, offset);
    }
}

#[test]
fn when_says_day_time_and_zone_once() {
    let short = event("DTSTART;TZID=Europe/Berlin:20240501T090000\nDURATION:PT1H30M");
    assert_eq!(
        short.when(),
        "Wednesday 1 May 2024, 09:00 – 10:30 (Europe/Berlin)"
    );
    assert_eq!(short.starts.unwrap().at, Some(1_714_546_800));
    let night = event("DTSTART:20240501T220000Z\nDTEND:20240502T020000Z");
    assert_eq!(
        night.when(),
        "Wednesday 1 May 2024, 22:00 – Thursday 2 May 2024, 02:00 (UTC)"
    );
    let flight = event(
        "DTSTART;TZID=Europe/Berlin:20240501T090000\nDTEND;TZID=America/New_York:20240501T110000",
    );
    assert_eq!(
        flight.when(),
        "Wednesday 1 May 2024, 09:00 (Europe/Berlin) – 11:00 (America/New_York)"
    );
}

#[test]
fn a_whole_day_ends_the_day_before_its_end() {
    let one = event("DTSTART;VALUE=DATE:20240501\nDTEND;VALUE=DATE:20240502");
    assert_eq!(one.when(), "Wednesday 1 May 2024, all day");
    assert_eq!(
        (one.start.as_str(), one.end.as_str()),
        ("2024-05-01", "2024-05-02")
    );
    let outlook = event(
        "DTSTART;TZID=Europe/Berlin:20240501T000000\nDTEND;TZID=Europe/Berlin:20240502T000000\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
    );
    assert_eq!(outlook.when(), "Wednesday 1 May 2024, all day");
    let three = event("DTSTART;VALUE=DATE:20240501\nDTEND;VALUE=DATE:20240504");
    assert_eq!(
        three.when(),
        "Wednesday 1 May 2024 – Friday 3 May 2024, all day"
    );
}

#[test]
fn a_start_nobody_can_read_stays_as_it_was_written() {
    let found = event("DTSTART:tomorrow at nine\nSUMMARY:x");
    assert_eq!(
        (found.start.as_str(), found.when().as_str()),
        ("tomorrow at nine", "tomorrow at nine")
    );
}

#[test]
fn rules_are_told_in_words() {
    for (rule, words) in [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY", "every week on Wednesday"),
        (
            "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20250503T235959Z",
            "every week on Monday and Wednesday until 4 May 2025",
        ),
        (
            "FREQ=WEEKLY;UNTIL=20250503",
            "every week on Wednesday until 3 May 2025",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=10",
            "every second week on Tuesday, 10 times",
        ),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
        (
            "FREQ=MONTHLY;BYDAY=2TU",
            "every month on the second Tuesday",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "every month on the last weekday",
        ),
        (
            "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1",
            "every 3 months on the last day",
        ),
        ("FREQ=MONTHLY", "every month on day 1"),
        ("FREQ=YEARLY", "every year on 1 May"),
        (
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            "every year on the fourth Thursday of November",
        ),
        ("FREQ=SOMETIMES", "in a way that cannot be told here"),
    ] {
        let found = event(&format!(
            "DTSTART;TZID=Europe/Berlin:20240501T090000\nRRULE:{rule}"
        ));
        assert_eq!(found.recurrence.as_deref(), Some(words), "{rule}");
    }
    let less = event(
        "DTSTART:20240501T090000Z\nRRULE:FREQ=DAILY\nEXDATE:20240502T090000Z,20240503T090000Z",
    );
    assert_eq!(
        less.recurrence.as_deref(),
        Some("every day, except on 2 dates")
    );
    assert_eq!(event("DTSTART:20240501T090000Z").recurrence, None);
}

#[test]
fn answers_updates_and_cancellations_say_what_they_are() {
    let reply = calendar(
        "METHOD:REPLY",
        "ATTENDEE;PARTSTAT=DECLINED;CN=Ben;ROLE=OPT-PARTICIPANT:mailto:ben@example.org\nCOMMENT:On holiday\nDESCRIPTION:Plan",
    );
    assert_eq!(reply.purpose(), "Declined");
    assert_eq!(reply.description, "On holiday");
    let ben = Attendee {
        name: "Ben".to_owned(),
        address: "ben@example.org".to_owned(),
        answer: "DECLINED".to_owned(),
        role: "OPT-PARTICIPANT".to_owned(),
    };
    assert_eq!(reply.people, [ben]);
    assert_eq!(
        calendar("METHOD:REQUEST", "SEQUENCE:2").purpose(),
        "Updated invitation"
    );
    assert_eq!(
        calendar("METHOD:CANCEL", "SEQUENCE:2").purpose(),
        "Cancelled"
    );
    assert_eq!(
        calendar("METHOD:COUNTER", "UID:1").purpose(),
        "New time proposed"
    );
}

#[test]
fn the_series_counts_and_not_one_changed_occurrence_before_it() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20240508T090000Z\nDTSTART:20240508T100000Z\nEND:VEVENT\n\
                BEGIN:VEVENT\nUID:1\nDTSTART:20240501T090000Z\nRRULE:FREQ=WEEKLY\nEND:VEVENT\nEND:VCALENDAR";
    let found = read(text).unwrap();
    assert_eq!(found.start, "2024-05-01T09:00:00Z");
    assert_eq!(found.occurrence, None);
}

#[test]
fn the_link_of_an_online_meeting_is_found_in_its_property_or_in_the_text() {
    let link = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0";
    let own = event(&format!("X-MICROSOFT-SKYPETEAMSMEETINGURL:{link}"));
    assert_eq!(own.meeting_url.as_deref(), Some(link));
    let text = event(&format!("DESCRIPTION:Join here<{link}>\\nThanks"));
    assert_eq!(text.meeting_url.as_deref(), Some(link));
    let script = event("X-GOOGLE-CONFERENCE:javascript:alert(1)");
    assert_eq!(script.meeting_url, None);
}

#[test]
fn lines_broken_inside_a_description_still_belong_to_it() {
    let found =
        event("DESCRIPTION:Agenda:\nhttps://example.org/agenda\nsecond line\nLOCATION:Room 1");
    assert_eq!(
        found.description,
        "Agenda:\nhttps://example.org/agenda\nsecond line"
    );
    assert_eq!(found.location, "Room 1");
}

#[test]
fn a_colon_folded_away_from_its_name_is_found() {
    let found = event("SUMMARY\n\n :Christmas\nDTSTART\n\n ;VALUE=DATE\n :20031225\nUID:1");
    assert_eq!(
        (found.summary.as_str(), found.start.as_str()),
        ("Christmas", "2003-12-25")
    );
}

#[test]
fn parameters_may_hold_semicolons_colons_and_carets() {
    let found = event(
        "ORGANIZER;CN=\"Ada; ^'the boss^': L\";SENT-BY=\"mailto:x@example.org\":mailto:ada@example.org",
    );
    assert_eq!(found.organizer_name, "Ada; \"the boss\": L");
    assert_eq!(found.organizer, "ada@example.org");
    let open = event("ORGANIZER;CN=\"Ada:mailto:ada@example.org");
    assert_eq!(open.organizer, "ada@example.org");
}

#[test]
fn hostile_calendars_cost_no_more_than_their_length() {
    let deep = "BEGIN:VEVENT\n".repeat(100_000);
    assert!(read(&deep).is_some());
    let long = format!(
        "BEGIN:VEVENT\nSUMMARY:{}\nRRULE:FREQ=YEARLY;BYMONTHDAY={}\nDURATION:P{}D\n",
        "x\n ".repeat(100_000),
        "1,".repeat(100_000),
        "9".repeat(1000)
    );
    assert!(read(&long).is_some());
}
