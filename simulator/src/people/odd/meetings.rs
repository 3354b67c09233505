//! Invitations and what becomes of them.

use super::{Odd, odd};
use crate::people::compose::{Part, attachment, plain};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

const ZONE: &str = "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n\
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n\
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";

pub(super) fn all(now: i64) -> Vec<Odd> {
    let day = |days: i64| {
        let at = mail_parser::DateTime::from_timestamp(now - now.rem_euclid(DAY) + days * DAY);
        format!("{:04}{:02}{:02}", at.year, at.month, at.day)
    };
    let review = |method: &str, sequence: u32, hour: u32, more: &str| {
        let date = day(6);
        event(
            method,
            &format!(
                "UID:040000008200E00074C5B7101A82E00800000000AB12\r\nSEQUENCE:{sequence}\r\nSUMMARY:Lighting review, hall B\r\n\
                 ORGANIZER;CN=\"Vera Castellanos\":mailto:vera@museo-azul.example\r\n{GUESTS}\
                 DTSTART;TZID=\"W. Europe Standard Time\":{date}T{hour:02}0000\r\nDTEND;TZID=\"W. Europe Standard Time\":{date}T{:02}3000\r\n\
                 LOCATION:Museo Azul\\, entrance by the garden\r\n{more}",
                hour + 1
            ),
        )
    };
    let from = ("Vera Castellanos", "vera@museo-azul.example");
    let weekly = "RRULE:FREQ=WEEKLY;COUNT=8;BYDAY=MO,TH\r\nDESCRIPTION:Dear all\\,\\n\\nwe meet at the works\\, twice a week until it hangs.\\nBring the drawings.\\n\\n\
                  https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc/0\r\nX-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc/0\r\n";
    let fair = event(
        "PUBLISH",
        &format!(
            "UID:fair-2027@lichtwoche.example\r\nSUMMARY:Lichtwoche: our stand is C 14\r\nDTSTART;VALUE=DATE:{}\r\nDTEND;VALUE=DATE:{}\r\nLOCATION:Halle 4\\, Messegelände\r\n",
            day(30),
            day(33)
        ),
    );
    let answer = event(
        "REPLY",
        &format!(
            "UID:visit-77@harbourlights.example\r\nSUMMARY:Accepted: Visit of the workshop\r\nORGANIZER:mailto:support@harbourlights.example\r\n\
             ATTENDEE;PARTSTAT=ACCEPTED;CN=\"Desmond Oyelaran\":mailto:d.oyelaran@quarry-offices.example\r\nDTSTART:{0}T130000Z\r\nDTEND:{0}T140000Z\r\n",
            day(9)
        ),
    );
    vec![
        meeting(
            from,
            "Lighting review, hall B",
            "REQUEST",
            WORDS,
            &review("REQUEST", 0, 9, weekly),
        ),
        meeting(
            from,
            "Updated: Lighting review, hall B",
            "REQUEST",
            "One hour later, please.\n",
            &review("REQUEST", 1, 10, weekly),
        ),
        meeting(
            from,
            "Canceled: Lighting review, hall B",
            "CANCEL",
            "The hall is closed that week.\n",
            &review("CANCEL", 2, 10, "STATUS:CANCELLED\r\n"),
        ),
        meeting(
            ("Desmond Oyelaran", "d.oyelaran@quarry-offices.example"),
            "Accepted: Visit of the workshop",
            "REPLY",
            "See you there.\n",
            &answer,
        ),
        odd(
            ("Lichtwoche", "stand@lichtwoche.example"),
            "Your days at the fair",
            Part::Many(
                "mixed",
                vec![
                    plain(
                        "Hello,\n\nyour stand is C 14. The dates are in the file.\n\nLichtwoche\n",
                    ),
                    attachment("lichtwoche.ics", "text/calendar", fair.as_bytes()),
                ],
            ),
        ),
    ]
}

const WORDS: &str =
    "Dear all,\n\nwe meet at the works, twice a week until it hangs.\nBring the drawings.\n";

const GUESTS: &str = "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Harbour Lights:mailto:support@harbourlights.example\r\n\
    ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Iker Etxeberria:mailto:iker@museo-azul.example\r\n\
    ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=TENTATIVE;CN=\"Studio Nine\":mailto:hello@studio-nine.example\r\n\
    ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=DECLINED;CN=Ana Roca:mailto:ana@roca.example\r\n\
    ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;CN=Bea:mailto:bea@museo-azul.example\r\n\
    ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;CN=Carlos:mailto:carlos@museo-azul.example\r\n\
    ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Dario:mailto:dario@museo-azul.example\r\n\
    ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;CN=Elisa:mailto:elisa@museo-azul.example\r\n";

fn event(method: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nPRODID:Microsoft Exchange Server 2010\r\nVERSION:2.0\r\n{ZONE}BEGIN:VEVENT\r\n{lines}\
         DTSTAMP:20261101T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn meeting(from: (&str, &str), subject: &str, method: &str, text: &str, event: &str) -> Odd {
    let fields = vec![
        (
            "Content-Type",
            format!("text/calendar; charset=\"utf-8\"; method={method}"),
        ),
        ("Content-Transfer-Encoding", "8bit".to_owned()),
    ];
    let calendar = Part::Leaf(fields, event.as_bytes().to_vec());
    odd(
        from,
        subject,
        Part::Many("alternative", vec![plain(text), calendar]),
    )
}
