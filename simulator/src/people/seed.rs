//! In charge of the mail that lies in the support inbox before anybody looks: fifteen messages from
//! customers of an imaginary lamp maker, Harbour Lights, of every kind a help desk meets.

use super::answers::with_picture;
use super::compose::{
    Letter, Part, Who, arrived, attachment, base64_text, html, latin1, pdf, plain,
};
use crate::world::World;

/// Seconds in an hour.
const HOUR: i64 = 3600;

/// One prepared message.
struct Mail {
    name: &'static str,
    address: &'static str,
    subject: &'static str,
    /// How long ago it was written.
    hours_ago: i64,
    more: Vec<(&'static str, String)>,
    content: Part,
}

/// Puts the messages into the INBOX of `address`, oldest first; returns how many there are.
pub fn seed(world: &World, address: &str) -> usize {
    let now = world.clock().now();
    let mut mails: Vec<Mail> = shop()
        .into_iter()
        .chain(abroad(now))
        .chain(machines(address))
        .collect();
    mails.sort_by_key(|mail| std::cmp::Reverse(mail.hours_ago));
    let mut count = 0;
    for mail in mails {
        // Minutes off the full hour, so that the dates look like life.
        let spread = i64::try_from(mail.subject.len()).unwrap_or_default() * 71 % HOUR;
        let at = now - mail.hours_ago * HOUR - spread;
        let letter = Letter {
            from: Who::new(mail.name, mail.address),
            to: Who::new("Harbour Lights Support", address),
            subject: mail.subject.to_owned(),
            at,
            message_id: id_of(&mail),
            more: mail.more,
            content: mail.content,
        };
        let raw = arrived(&letter.write(), mail.address, at);
        count += usize::from(world.deliver_at(address, &raw, at));
    }
    count
}

fn id_of(mail: &Mail) -> String {
    let domain = mail
        .address
        .rsplit_once('@')
        .map_or("home.example", |(_, domain)| domain);
    format!(
        "<seed.{:08x}.{}@{domain}>",
        super::number_of(mail.subject),
        mail.hours_ago
    )
}

fn mail(
    (name, address): (&'static str, &'static str),
    subject: &'static str,
    hours_ago: i64,
    content: Part,
) -> Mail {
    Mail {
        name,
        address,
        subject,
        hours_ago,
        more: Vec::new(),
        content,
    }
}

/// English mail about orders and lamps.
fn shop() -> Vec<Mail> {
    let maeve = ("Maeve Corrigan", "maeve.corrigan@tidepool.example");
    let first = mail(maeve, "Order HL-20377 has not arrived", 53, plain(MAEVE));
    let mut second = mail(
        maeve,
        "Re: Order HL-20377 has not arrived",
        5,
        plain(MAEVE_AGAIN),
    );
    let id = id_of(&first);
    second.more = vec![("In-Reply-To", id.clone()), ("References", id)];
    let invoice = Part::Many(
        "mixed",
        vec![
            plain(LEIF),
            attachment(
                "Invoice-2026-1169.pdf",
                "application/pdf",
                &pdf("Invoice 2026-1169"),
            ),
        ],
    );
    let cid = "image001.png@01DC5A1B.7C2F8E40";
    vec![
        first,
        second,
        mail(
            ("Leif Sandvik", "leif@sandvik-cafe.example"),
            "Wrong amount on invoice 2026-1169",
            29,
            invoice,
        ),
        mail(
            ("Carla Mendes", "carla.mendes@olivar.example"),
            "Crack in the shade after two weeks",
            23,
            with_picture(CARLA, &CARLA_HTML.replace("{cid}", cid), cid),
        ),
        mail(
            ("Desmond Oyelaran", "d.oyelaran@quarry-offices.example"),
            "RE: Lighting for the new reception",
            47,
            Part::Many("alternative", vec![plain(DESMOND), html(DESMOND_HTML)]),
        ),
        mail(
            ("Ines Vogt", "ines@vogt-and-daughters.example"),
            "Dimmer flickers below 30 %",
            8,
            Part::Many("alternative", vec![plain(INES), html(INES_HTML)]),
        ),
        mail(
            ("Peter Quill-Harris", "pqh@oldmill.example"),
            "A long story about a lamp",
            76,
            plain(&long()),
        ),
        mail(
            ("Abigail Fenn", "abigail@fenn.example"),
            "Thank you!",
            99,
            plain(ABIGAIL),
        ),
        mail(
            ("", "r.marsh@saltmarsh.example"),
            "battery??",
            2,
            plain("does the lantern come with a battery\n\nsent from my phone\n"),
        ),
    ]
}

/// Mail in other languages and character sets, and an invitation for next week.
fn abroad(now: i64) -> Vec<Mail> {
    let mut invitation = mail(
        ("Desmond Oyelaran", "d.oyelaran@quarry-offices.example"),
        "Site visit: reception lighting",
        20,
        Part::Many("alternative", vec![plain(&visit(now)), calendar(now)]),
    );
    invitation.more = vec![("X-MS-Has-Attach", String::new())];
    vec![
        mail(
            ("Jürgen Größmann", "j.groessmann@lindenhof.example"),
            "Ersatzteil für die Stehleuchte „Möwe“",
            31,
            latin1(JUERGEN),
        ),
        mail(
            ("佐藤 健", "ken.sato@tsubame.example"),
            "ランプの点滅についてのお問い合わせ",
            14,
            base64_text(SATO),
        ),
        mail(
            ("Amélie Rousseau", "amelie@maison-rousseau.example"),
            "Délai de livraison pour 6 suspensions",
            11,
            plain(AMELIE),
        ),
        invitation,
    ]
}

/// Mail no person wrote.
fn machines(to: &str) -> Vec<Mail> {
    let mut newsletter = mail(
        ("Glass & Brass Weekly", "news@glassandbrass.example"),
        "Five trends in lighting for the dark season",
        38,
        Part::Many("alternative", vec![plain(NEWS), html(NEWS_HTML)]),
    );
    newsletter.more = vec![
        (
            "List-Unsubscribe",
            "<https://glassandbrass.example/leave?u=4711>".to_owned(),
        ),
        (
            "List-Unsubscribe-Post",
            "List-Unsubscribe=One-Click".to_owned(),
        ),
        (
            "List-Id",
            "Glass & Brass Weekly <weekly.glassandbrass.example>".to_owned(),
        ),
        ("Precedence", "bulk".to_owned()),
    ];
    let mut notice = mail(
        ("Swiftcart Parcels", "no-reply@swiftcart.example"),
        "Your pickup on Thursday is confirmed",
        26,
        plain(&format!(
            "Pickup 88-1042 is confirmed for Thursday between 10:00 and 12:00.\nContact: {to}\n"
        )),
    );
    notice.more = vec![("Auto-Submitted", "auto-generated".to_owned())];
    vec![newsletter, notice]
}

/// When the visit begins: ten o'clock UTC, eight days from now.
fn visit_at(now: i64) -> mail_parser::DateTime {
    let midnight = now - now.rem_euclid(24 * HOUR);
    mail_parser::DateTime::from_timestamp(midnight + (8 * 24 + 10) * HOUR)
}

/// The invitation in words.
fn visit(now: i64) -> String {
    let date = visit_at(now).to_rfc822();
    let day: Vec<&str> = date.split(' ').take(4).collect();
    format!(
        "Site visit: reception lighting\n{}, 10:00 to 11:00 (UTC)\nQuarry Offices, 4 Mason Row\n\n\
         Please bring samples of the Beacon.\n",
        day.join(" ")
    )
}

/// A meeting request as Outlook sends it.
fn calendar(now: i64) -> Part {
    let at = visit_at(now);
    let day = format!("{:04}{:02}{:02}", at.year, at.month, at.day);
    let sent = mail_parser::DateTime::from_timestamp(now - 21 * HOUR);
    let sent = format!("{:04}{:02}{:02}", sent.year, sent.month, sent.day);
    let text = format!(
        "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nPRODID:Microsoft Exchange Server 2010\r\nVERSION:2.0\r\n\
         BEGIN:VEVENT\r\nORGANIZER;CN=Desmond Oyelaran:mailto:d.oyelaran@quarry-offices.example\r\n\
         UID:040000008200E00074C5B7101A82E008-visit\r\nSUMMARY:Site visit: reception lighting\r\n\
         DTSTART:{day}T100000Z\r\nDTEND:{day}T110000Z\r\nDTSTAMP:{sent}T090000Z\r\n\
         LOCATION:Quarry Offices\\, 4 Mason Row\r\nSTATUS:CONFIRMED\r\nSEQUENCE:0\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n"
    );
    let fields = vec![
        (
            "Content-Type",
            "text/calendar; charset=\"utf-8\"; method=REQUEST".to_owned(),
        ),
        ("Content-Transfer-Encoding", "7bit".to_owned()),
    ];
    Part::Leaf(fields, text.into_bytes())
}

/// Many paragraphs.
fn long() -> String {
    let mut text = String::from(
        "Dear Harbour Lights,\n\nthis is going to be a long letter, so please take a seat.\n\n",
    );
    for (number, part) in LONG.iter().cycle().take(24).enumerate() {
        text.push_str(&format!("{}. {part}\n\n", number + 1));
    }
    text.push_str("In short: may I have a new cable, please? Two metres, black.\n\nYours\nPeter Quill-Harris\n");
    text
}

const MAEVE: &str = "Hello,\n\nI ordered two Buoy table lamps on the 3rd (order HL-20377). The page said three to five\n\
    days, and it is now two weeks. The tracking number HB889120 shows nothing.\n\nCan you tell me where they are?\n\n\
    Maeve Corrigan\n";

const MAEVE_AGAIN: &str = "Hello again,\n\nstill nothing, and they are meant as a present for Saturday. If they cannot be here\n\
    by then, please cancel the order and refund me.\n\nMaeve\n\n> I ordered two Buoy table lamps on the 3rd (order HL-20377).\n\
    > The page said three to five days, and it is now two weeks.\n";

const LEIF: &str = "Hi,\n\nthe attached invoice lists eight Mole wall lights; we ordered and received six. Please correct it\n\
    and send a new one, our bookkeeper is waiting.\n\nLeif Sandvik\nSandvik Café\n";

const CARLA: &str = "Good morning,\n\nthe shade of my Pier lamp has a crack from top to bottom (see the picture). I have had it\n\
    for two weeks and it was not dropped. Is this covered by the warranty?\n\nCarla Mendes\n";

const CARLA_HTML: &str = "<html><body><p>Good morning,</p><p>the shade of my <b>Pier</b> lamp has a crack from top to\n\
    bottom:</p><p><img src=\"cid:{cid}\" width=\"256\" alt=\"The cracked lamp\"></p><p>I have had it for two weeks and it was not\n\
    dropped. Is this covered by the warranty?</p><p>Carla Mendes</p></body></html>\n";

const DESMOND: &str = "Dear all,\n\nthe architect prefers the Beacon in black. Could you quote twelve pieces with installation?\n\n\
    Regards\nDesmond Oyelaran\nFacilities, Quarry Offices\n\nFrom: Harbour Lights Support\nSubject: Lighting for the new reception\n\n\
    Thank you for your visit. The catalogue is on its way.\n";

const DESMOND_HTML: &str = "<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\">\n\
    <head><meta name=\"Generator\" content=\"Microsoft Word 15 (filtered medium)\"><style><!--\n\
    p.MsoNormal, li.MsoNormal {margin:0cm; font-size:11.0pt; font-family:\"Calibri\",sans-serif;}\n--></style></head>\n\
    <body lang=\"EN-GB\" link=\"#0563C1\"><div class=\"WordSection1\">\n<p class=\"MsoNormal\">Dear all,<o:p></o:p></p>\n\
    <p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p>\n<p class=\"MsoNormal\">the architect prefers the <b>Beacon</b> in black. Could you quote\n\
    twelve pieces with installation?<o:p></o:p></p>\n<p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p>\n\
    <table class=\"MsoTableGrid\" border=\"1\" cellspacing=\"0\"><tr><td>Beacon, black</td><td>12</td></tr><tr><td>Installation</td><td>1</td></tr></table>\n\
    <p class=\"MsoNormal\">Regards<br>Desmond Oyelaran<br><i>Facilities, Quarry Offices</i><o:p></o:p></p>\n\
    <div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\"><p class=\"MsoNormal\"><b>From:</b> Harbour Lights\n\
    Support<br><b>Subject:</b> Lighting for the new reception</p></div>\n<p class=\"MsoNormal\">Thank you for your visit. The catalogue is\n\
    on its way.</p></div></body></html>\n";

const INES: &str = "Hello,\n\nour four Beacons flicker when dimmed below 30 %. The dimmer is rated for LED. Is there a list of\n\
    dimmers you have tested?\n\nInes Vogt\n";

const INES_HTML: &str = "<div dir=\"ltr\"><div>Hello,</div><div><br></div><div>our four Beacons <i>flicker</i> when dimmed below 30&nbsp;%.\n\
    The dimmer is rated for LED.</div><ul><li>Model: Beacon 40</li><li>Dimmer: Nightfall D2</li></ul><div>Is there a list of dimmers you\n\
    have tested?</div><div><br></div><div>Ines Vogt</div></div>\n";

const ABIGAIL: &str = "Dear team,\n\njust a note to say that the Lantern on our porch is the nicest thing we bought this year.\n\n\
    Abigail Fenn\n";

const JUERGEN: &str = "Sehr geehrte Damen und Herren,\n\nan meiner Stehleuchte Möwe ist der Fußschalter gebrochen. Können Sie mir einen\n\
    Ersatz schicken? Über eine kurze Rückmeldung würde ich mich freuen.\n\nMit freundlichen Grüßen\nJürgen Größmann\nLindenhof 7\n";

const SATO: &str = "ハーバーライツ サポート御中\n\nお世話になっております。佐藤と申します。\n先月購入したデスクランプ「シグナル」が、点灯後すぐに点滅します。\n\
    電球は交換済みです。修理または交換は可能でしょうか。\n\n注文番号: HL-20391\n\n佐藤 健\n";

const AMELIE: &str = "Bonjour,\n\nnous souhaitons commander six suspensions « Phare » pour notre salle à manger.\n\
    Quel est le délai de livraison à Lyon, et proposez-vous le montage ?\n\nBien à vous,\nAmélie Rousseau\n";

const NEWS: &str = "Five trends in lighting\n\n1. Warm is back\n2. Brass, but quiet\n3. Light without wires\n\n\
    Read more: https://glassandbrass.example/trends\nLeave this list: https://glassandbrass.example/leave?u=4711\n";

const NEWS_HTML: &str = "<html><body style=\"background:#f4f1ea\"><table width=\"600\" align=\"center\"><tr><td><h1>Five trends in lighting</h1>\n\
    <ol><li>Warm is back</li><li>Brass, but quiet</li><li>Light without wires</li></ol>\n\
    <p><a href=\"https://glassandbrass.example/trends\">Read more</a></p>\n\
    <p style=\"font-size:10px\"><a href=\"https://glassandbrass.example/leave?u=4711\">Leave this list</a></p>\n\
    <img src=\"https://glassandbrass.example/open.gif?u=4711\" width=\"1\" height=\"1\" alt=\"\"></td></tr></table></body></html>\n";

const LONG: [&str; 4] = [
    "My grandmother had a lamp exactly like your Lantern, only heavier, and with a dent that nobody ever\n\
     explained. When I saw yours in the shop window I went in without meaning to.",
    "The gentleman at the counter was patient. He showed me the brass one, then the black one, then the brass\n\
     one again. I took the black one, and I have doubted it ever since.",
    "It stands on the piano. My sister says it should stand by the window. We have tried both, and the light on\n\
     the piano is better, but from the window one sees it from the street.",
    "Last week the cat discovered the cable. You can imagine the rest: the lamp is well, the cat is well, the\n\
     cable is not.",
];
