//! SMTP submission as a client sees it.

use mailhatch_simulator::faults::{Action, Fault, Point};
use mailhatch_simulator::world::{SmtpAuth, User, Via};

use crate::support::{ALICE, Bench, MIA, SUPPORT, TENANT, mail};

const KIM: &str = "kim@willow.example";

#[test]
fn auth_is_offered_only_inside_tls() {
    let bench = Bench::start();
    let mut client = bench.smtp();
    let plain = client.reply_to("EHLO desk.example");
    assert!(
        plain.contains("250-STARTTLS") && !plain.contains("AUTH"),
        "{plain}"
    );
    assert!(
        client
            .reply_to("AUTH XOAUTH2 eA==")
            .starts_with("504 5.7.4")
    );
    assert!(
        client
            .reply_to("MAIL FROM:<a@b.example>")
            .starts_with("530 5.7.57 ")
    );
    assert!(
        client
            .reply_to("EHLO my_container")
            .starts_with("501 5.5.4")
    );
    let mut client = bench.secure_smtp();
    let offered = client.reply_to("EHLO desk.example");
    for word in [
        "SIZE 157286400",
        "PIPELINING",
        "DSN",
        "AUTH LOGIN XOAUTH2",
        "8BITMIME",
    ] {
        assert!(offered.contains(word), "{offered}");
    }
    assert!(!offered.contains("STARTTLS"));
    assert!(
        client
            .reply_to("MAIL FROM:<a@b.example>")
            .starts_with("530 5.7.57 Client was not")
    );
}

#[test]
fn a_message_is_accepted_filed_and_delivered() {
    let bench = Bench::start();
    let mut client = bench.secure_smtp();
    assert_eq!(client.reply_to("AUTH XOAUTH2"), "334 \r\n");
    let payload = bench.payload(ALICE, ALICE);
    assert_eq!(
        client.reply_to(&payload),
        "235 2.7.0 Authentication successful\r\n"
    );
    let from = format!("MAIL FROM:<{ALICE}> SIZE=500 BODY=8BITMIME");
    assert_eq!(client.reply_to(&from), "250 2.1.0 Sender OK\r\n");
    assert_eq!(
        client.reply_to(&format!("RCPT TO:<{SUPPORT}>")),
        "250 2.1.5 Recipient OK\r\n"
    );
    assert_eq!(
        client.reply_to(&format!("RCPT TO:<{KIM}>")),
        "250 2.1.5 Recipient OK\r\n"
    );
    assert!(client.reply_to("DATA").starts_with("354 Start mail input"));
    let raw = mail(ALICE, SUPPORT, "one@harbourlights.example") + ".hidden\r\n";
    client.send_raw(
        raw.replace("\r\n.", "\r\n..")
            .replace("Date:", "Bcc: <x@y.example>\r\nDate:")
            .as_bytes(),
    );
    let last = client.reply_to(".");
    let start = "250 2.0.0 OK <one@harbourlights.example> [Hostname=";
    assert!(
        last.starts_with(start) && last.ends_with(".prod.outlook.com]\r\n"),
        "{last}"
    );
    assert!(client.reply_to("QUIT").starts_with("221 2.0.0"));

    let submissions = bench.world.submissions();
    assert_eq!(submissions.len(), 1);
    assert_eq!(submissions[0].recipients, [SUPPORT, KIM]);
    assert_eq!(submissions[0].via, Via::Smtp);
    let sent = bench.world.folder(ALICE, "Sent Items");
    let sent = String::from_utf8(sent[0].raw.to_vec()).unwrap();
    assert!(
        sent.contains("\r\n.hidden\r\n") && sent.contains("Bcc: <x@y.example>"),
        "{sent}"
    );
    let got = bench.world.folder(SUPPORT, "INBOX");
    let got = String::from_utf8(got[0].raw.to_vec()).unwrap();
    assert!(
        got.starts_with("Received: from ") && !got.contains("Bcc"),
        "{got}"
    );
    assert_eq!(bench.world.outgoing()[0].recipients, [KIM]);
}

#[test]
fn a_personal_account_gets_a_new_message_id_and_keeps_the_old_one_in_a_header() {
    let bench = Bench::start();
    let mut client = bench.smtp_as(MIA);
    let mut hosts = Vec::new();
    for n in 1..=2 {
        let id = format!("own{n}@desk.example");
        let reply = client.submit(MIA, KIM, &mail(MIA, KIM, &id));
        let new = reply
            .strip_prefix("250 2.0.0 OK ")
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned();
        assert!(
            new.to_lowercase().ends_with(".prod.outlook.com>"),
            "{reply}"
        );
        let seen = String::from_utf8(bench.world.outgoing()[n - 1].raw.to_vec()).unwrap();
        assert!(seen.contains(&format!("Message-ID: {new}\r\n")), "{seen}");
        assert!(
            seen.contains(&format!("X-Microsoft-Original-Message-ID: <{id}>\r\n")),
            "{seen}"
        );
        let sent = bench.world.folder(MIA, "Sent");
        assert!(String::from_utf8_lossy(&sent[n - 1].raw).contains(&new));
        assert_eq!(bench.world.submissions()[n - 1].effective_message_id, new);
        hosts.push(new.rsplit_once('@').unwrap().1.to_owned());
    }
    assert_ne!(hosts[0], hosts[1]);
    assert_eq!(hosts[0].to_lowercase(), hosts[1].to_lowercase());
}

#[test]
fn a_bad_token_is_refused_at_once_or_with_the_json_challenge() {
    let bench = Bench::start();
    let mut client = bench.secure_smtp();
    let refusal = "535 5.7.3 Authentication unsuccessful [";
    assert!(
        client
            .reply_to("AUTH XOAUTH2 bm90aGluZw==")
            .starts_with(refusal)
    );
    bench
        .world
        .set_quirks(|quirks| quirks.json_challenge = true);
    assert!(
        client
            .reply_to("AUTH XOAUTH2 bm90aGluZw==")
            .starts_with("334 eyJzdGF0dXMiOi")
    );
    assert!(client.reply_to("").starts_with(refusal));
    assert!(client.reply_to("AUTH XOAUTH2 ***").starts_with("501 5.5.4"));
    assert_eq!(client.reply_to("AUTH LOGIN"), "334 VXNlcm5hbWU6\r\n");
    assert_eq!(client.reply_to("YQ=="), "334 UGFzc3dvcmQ6\r\n");
    assert!(
        client
            .reply_to("YQ==")
            .contains("5.7.139 Authentication unsuccessful, basic")
    );
}

#[test]
fn a_switched_off_mailbox_or_tenant_says_so() {
    let bench = Bench::start();
    for (switch, word) in [
        (SmtpAuth::DisabledForMailbox, "Mailbox"),
        (SmtpAuth::DisabledForTenant, "Tenant"),
    ] {
        bench
            .world
            .update_user(ALICE, |user| user.smtp_auth = switch);
        let payload = bench.payload(ALICE, ALICE);
        let reply = bench
            .secure_smtp()
            .reply_to(&format!("AUTH XOAUTH2 {payload}"));
        let text = format!(
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the {word}. "
        );
        assert!(reply.starts_with(&text), "{reply}");
    }
}

#[test]
fn smtp_wants_the_sign_in_name_where_the_address_differs() {
    let bench = Bench::start();
    let address = "carol@harbourlights.example";
    let upn = "carol@harbourlights.onmicrosoft.example";
    bench
        .world
        .add_user(User::work(TENANT, upn, "Carol").with_address(address));
    let payload = bench.payload(address, upn);
    let mut client = bench.imap();
    client.line();
    assert!(
        client
            .ask(&format!("a AUTHENTICATE XOAUTH2 {payload}"))
            .starts_with("a OK")
    );
    let mut client = bench.secure_smtp();
    assert!(
        client
            .reply_to(&format!("AUTH XOAUTH2 {payload}"))
            .starts_with("535 5.7.3")
    );
    let payload = bench.payload(upn, upn);
    assert!(
        client
            .reply_to(&format!("AUTH XOAUTH2 {payload}"))
            .starts_with("235")
    );
    let reply = client.submit(address, KIM, &mail(address, KIM, "c@harbourlights.example"));
    assert!(reply.starts_with("250 2.0.0 OK"), "{reply}");
}

#[test]
fn a_sender_without_the_right_is_refused_and_in_the_end_blocked() {
    let bench = Bench::start();
    let mut client = bench.smtp_as(ALICE);
    let stranger = "bob@harbourlights.example";
    for _ in 0..4 {
        let reply = client.reply_to(&format!("MAIL FROM:<{stranger}>"));
        assert!(reply.starts_with("550 5.7.60 "), "{reply}");
    }
    // The From header counts as well.
    let reply = client.submit(ALICE, KIM, &mail(stranger, KIM, "f@harbourlights.example"));
    assert!(
        reply.starts_with("554 5.2.0 STOREDRV.Submission.Exception:SendAsDenied"),
        "{reply}"
    );
    let reply = client.reply_to(&format!("MAIL FROM:<{ALICE}>"));
    assert!(reply.starts_with("550 5.2.252 "), "{reply}");
    bench.pass(4000);
    assert!(
        client
            .reply_to(&format!("MAIL FROM:<{ALICE}>"))
            .starts_with("250")
    );
    assert!(bench.world.submissions().is_empty());
}

#[test]
fn send_as_lets_a_user_write_for_the_shared_mailbox() {
    let bench = Bench::start();
    let mut client = bench.smtp_as(ALICE);
    let reply = client.submit(SUPPORT, KIM, &mail(SUPPORT, KIM, "s@harbourlights.example"));
    assert!(reply.starts_with("250 2.0.0 OK"), "{reply}");
    assert_eq!(bench.world.folder(ALICE, "Sent Items").len(), 1);
    assert_eq!(bench.world.folder(SUPPORT, "Sent Items").len(), 0);
    let mut client = bench.secure_smtp();
    let payload = bench.payload(SUPPORT, ALICE);
    assert!(
        client
            .reply_to(&format!("AUTH XOAUTH2 {payload}"))
            .starts_with("235")
    );
    client.submit(SUPPORT, KIM, &mail(SUPPORT, KIM, "t@harbourlights.example"));
    assert_eq!(bench.world.folder(SUPPORT, "Sent Items").len(), 1);
}

#[test]
fn the_fourth_connection_of_a_mailbox_is_one_too_many() {
    let bench = Bench::start();
    let first = bench.smtp_as(ALICE);
    let _others = [bench.smtp_as(ALICE), bench.smtp_as(ALICE)];
    let payload = bench.payload(ALICE, ALICE);
    let mut fourth = bench.secure_smtp();
    let reply = fourth.reply_to(&format!("AUTH XOAUTH2 {payload}"));
    let text =
        "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending";
    assert!(reply.starts_with(text), "{reply}");
    let mut first = first;
    first.reply_to("QUIT");
    assert_eq!(first.maybe_line(), None);
    // The place comes free when the connection is gone.
    let freed = (0..50).any(|_| {
        let reply = fourth.reply_to(&format!("AUTH XOAUTH2 {payload}"));
        reply.starts_with("235") || {
            bench.world.wait_for_change(
                bench.world.generation(),
                std::time::Duration::from_millis(20),
            );
            false
        }
    });
    assert!(freed);
}

#[test]
fn more_messages_a_minute_than_allowed_are_put_off() {
    let bench = Bench::start();
    bench
        .world
        .set_quirks(|quirks| quirks.messages_per_minute = Some(2));
    let mut client = bench.smtp_as(ALICE);
    let mut send = |n| client.submit(ALICE, KIM, &mail(ALICE, KIM, &format!("{n}@desk.example")));
    assert!(send(1).starts_with("250") && send(2).starts_with("250"));
    assert!(send(3).starts_with("432 4.3.2"));
    bench.pass(61);
    assert!(send(3).starts_with("250"));
}

#[test]
fn bare_line_feeds_and_a_missing_from_are_refused() {
    let bench = Bench::start();
    let mut client = bench.smtp_as(ALICE);
    let raw = mail(ALICE, KIM, "b@desk.example").replace("Hello.\r\n", "one\ntwo\r\n");
    assert!(client.submit(ALICE, KIM, &raw).starts_with("550 5.6.11 "));
    let raw = "Subject: nobody\r\n\r\nHello\r\n";
    assert!(client.submit(ALICE, KIM, raw).starts_with("550 5.7.512 "));
    assert!(client.reply_to("DATA").starts_with("503 "));
    let big = format!("MAIL FROM:<{ALICE}> SIZE=999999999");
    assert!(client.reply_to(&big).starts_with("552 5.3.4"));
    assert!(client.reply_to("MAIL FROM:nobody").starts_with("501 "));
}

#[test]
fn unknown_refusing_and_busy_recipients_are_told_apart() {
    let bench = Bench::start();
    let mut client = bench.smtp_as(ALICE);
    client.reply_to(&format!("MAIL FROM:<{ALICE}>"));
    assert!(
        client
            .reply_to("RCPT TO:<nobody@harbourlights.example>")
            .starts_with("550 5.1.10 ")
    );
    assert!(
        client
            .reply_to("RCPT TO:<refuse.me@willow.example>")
            .starts_with("550 5.1.10 ")
    );
    let busy = "RCPT TO:<busy-desk@willow.example>";
    assert!(client.reply_to(busy).starts_with("451 4.7.500 "));
    assert!(client.reply_to(busy).starts_with("451 "));
    assert!(client.reply_to(busy).starts_with("250 2.1.5"));
    assert!(client.reply_to("RSET").starts_with("250"));
    assert!(
        client
            .reply_to("RCPT TO:<a@willow.example>")
            .starts_with("503 ")
    );
}

#[test]
fn commands_may_come_in_one_piece() {
    let bench = Bench::start();
    let mut client = bench.smtp_as(ALICE);
    let batch = format!("MAIL FROM:<{ALICE}>\r\nRCPT TO:<{KIM}>\r\nDATA\r\n");
    client.send_raw(batch.as_bytes());
    assert!(client.reply().starts_with("250 2.1.0"));
    assert!(client.reply().starts_with("250 2.1.5"));
    assert!(client.reply().starts_with("354"));
    let raw = mail(ALICE, KIM, "p@desk.example");
    client.send_raw(format!("{raw}.\r\nNOOP\r\nQUIT\r\n").as_bytes());
    assert!(client.reply().starts_with("250 2.0.0 OK <p@desk.example>"));
    assert!(client.reply().starts_with("250") && client.reply().starts_with("221"));
    let mut client = bench.smtp_as(ALICE);
    client.reply_to(&format!("MAIL FROM:<{ALICE}>"));
    client.reply_to(&format!("RCPT TO:<{KIM}>"));
    let (one, two) = raw.split_at(40);
    client.send_raw(format!("BDAT 40\r\n{one}BDAT {} LAST\r\n{two}", two.len()).as_bytes());
    assert!(client.reply().starts_with("250 2.6.0"));
    assert!(client.reply().starts_with("250 2.0.0 OK <p@desk.example>"));
}

#[test]
fn the_connection_may_drop_after_the_message_was_accepted() {
    let bench = Bench::start();
    bench.faults.once(Point::SmtpAccepted, Action::Close);
    let mut client = bench.smtp_as(ALICE);
    client.reply_to(&format!("MAIL FROM:<{ALICE}>"));
    client.reply_to(&format!("RCPT TO:<{KIM}>"));
    client.reply_to("DATA");
    client.send_raw(mail(ALICE, KIM, "q@desk.example").as_bytes());
    client.send(".");
    assert_eq!(client.maybe_line(), None);
    assert_eq!(bench.world.folder(ALICE, "Sent Items").len(), 1);
}

#[test]
fn scripted_faults_strike_at_every_stage() {
    let bench = Bench::start();
    let reply = |text: &str| Action::Reply(text.to_owned());
    bench.faults.add(Fault {
        point: Point::SmtpAuth,
        who: Some(ALICE.to_owned()),
        action: reply("454 4.7.0 Temporary authentication failure"),
        times: Some(1),
    });
    bench.smtp_as(MIA);
    let payload = bench.payload(ALICE, ALICE);
    let answer = bench
        .secure_smtp()
        .reply_to(&format!("AUTH XOAUTH2 {payload}"));
    assert_eq!(answer, "454 4.7.0 Temporary authentication failure\r\n");
    let mut client = bench.smtp_as(ALICE);
    bench.faults.once(
        Point::SmtpMail,
        reply("451 4.7.0 Temporary server error. PRX4"),
    );
    assert!(
        client
            .reply_to(&format!("MAIL FROM:<{ALICE}>"))
            .starts_with("451 4.7.0")
    );
    client.reply_to(&format!("MAIL FROM:<{ALICE}>"));
    bench.faults.once(
        Point::SmtpRcpt,
        reply("550 5.4.1 Recipient address rejected"),
    );
    assert!(
        client
            .reply_to(&format!("RCPT TO:<{KIM}>"))
            .starts_with("550 5.4.1")
    );
    client.reply_to(&format!("RCPT TO:<{KIM}>"));
    bench
        .faults
        .once(Point::SmtpData, reply("421 4.3.2 Service not active"));
    assert!(client.reply_to("DATA").starts_with("421"));
    assert_eq!(client.maybe_line(), None);
}
