//! Answers as programs write them in their languages, with the history under them.

use super::{Odd, crlf, odd, odd_bytes};
use crate::people::compose::{Part, attachment, html, lamp_picture, plain, wrapped};

pub(super) fn all() -> Vec<Odd> {
    vec![
        german_desktop(),
        french_web(),
        spanish_phone(),
        polish_gmail(),
        inline_answers(),
        flowed(),
        forwarded(),
        japanese_desktop(),
    ]
}

fn word(body: &str) -> String {
    format!(
        "<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" \
         xmlns:w=\"urn:schemas-microsoft-com:office:word\"><head><meta name=\"Generator\" content=\"Microsoft Word 15 (filtered medium)\">\n\
         <!--[if !mso]><style>v\\:* {{behavior:url(#default#VML);}}</style><![endif]--><style><!--\n\
         @font-face {{font-family:Calibri; panose-1:2 15 5 2 2 2 4 3 2 4;}}\n\
         p.MsoNormal {{margin:0cm; font-size:11.0pt; font-family:\"Calibri\",sans-serif;}}\n--></style>\n\
         <!--[if gte mso 9]><xml><o:shapedefaults v:ext=\"edit\" spidmax=\"1026\" /></xml><![endif]--></head>\n\
         <body lang=\"DE\" link=\"#0563C1\" vlink=\"#954F72\"><div class=\"WordSection1\">{body}</div></body></html>\n"
    )
}

/// Outlook for Windows; the logo of the signature has no Content-Disposition.
fn german_desktop() -> Odd {
    let text = "Guten Tag,\n\nvielen Dank, die Lampe ist angekommen. Leider fehlt der Dimmer, der im Angebot stand.\n\
                Können Sie ihn nachliefern?\n\nMit freundlichen Grüßen\nHeike Brandt\nEinkauf\nBrandt & Söhne GmbH\n\n\
                Von: Harbour Lights Support <support@harbourlights.example>\nGesendet: Montag, 9. November 2026 10:12\n\
                An: Heike Brandt <h.brandt@brandt-soehne.example>\nBetreff: Ihre Bestellung HL-20410\n\n\
                Guten Tag Frau Brandt,\n\nIhre Lampe ist heute auf den Weg gegangen.\n";
    let page = word(
        "<p class=\"MsoNormal\">Guten Tag,<o:p></o:p></p><p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p>\n\
         <p class=\"MsoNormal\">vielen Dank, die Lampe ist angekommen. Leider fehlt der <b>Dimmer</b>, der im Angebot stand. Können Sie ihn \
         nachliefern?<o:p></o:p></p><p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p>\n\
         <p class=\"MsoNormal\"><span style=\"color:#1F3864\">Mit freundlichen Grüßen<br>Heike Brandt<br>Einkauf<br>Brandt &amp; Söhne GmbH</span><o:p></o:p></p>\n\
         <p class=\"MsoNormal\"><img width=\"64\" height=\"48\" src=\"cid:logo.png@01DC60AA.11223344\" alt=\"Logo\"></p>\n\
         <div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\"><p class=\"MsoNormal\"><b>Von:</b> Harbour Lights \
         Support &lt;support@harbourlights.example&gt; <br><b>Gesendet:</b> Montag, 9. November 2026 10:12<br><b>An:</b> Heike Brandt \
         &lt;h.brandt@brandt-soehne.example&gt;<br><b>Betreff:</b> Ihre Bestellung HL-20410<o:p></o:p></p></div>\n\
         <p class=\"MsoNormal\">Guten Tag Frau Brandt,<o:p></o:p></p><p class=\"MsoNormal\">Ihre Lampe ist heute auf den Weg gegangen.<o:p></o:p></p>",
    );
    let logo = Part::Leaf(
        vec![
            ("Content-Type", "image/png; name=\"logo.png\"".to_owned()),
            ("Content-ID", "<logo.png@01DC60AA.11223344>".to_owned()),
            ("Content-Transfer-Encoding", "base64".to_owned()),
        ],
        wrapped(&lamp_picture()),
    );
    let content = Part::Many(
        "related",
        vec![
            Part::Many("alternative", vec![plain(text), html(&page)]),
            logo,
        ],
    );
    odd(
        ("Heike Brandt", "h.brandt@brandt-soehne.example"),
        "AW: Ihre Bestellung HL-20410",
        content,
    )
}

/// Outlook on the web.
fn french_web() -> Odd {
    let page = "<html><head><style type=\"text/css\" style=\"display:none;\"> P {margin-top:0;margin-bottom:0;} </style></head><body dir=\"ltr\">\n\
        <div class=\"elementToProof\" style=\"font-family: Aptos, Calibri, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);\">Bonjour,</div>\n\
        <div class=\"elementToProof\" style=\"font-family: Aptos, Calibri, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);\">Parfait, nous prenons les \
        six suspensions. Pouvez-vous m'envoyer la facture ?</div>\n<div id=\"Signature\"><p>Luc Perrin<br>Atelier Perrin</p></div>\n\
        <div id=\"appendonsend\"></div>\n<hr style=\"display:inline-block;width:98%\" tabindex=\"-1\">\n<div id=\"divRplyFwdMsg\" dir=\"ltr\"><font face=\"Calibri, \
        sans-serif\" style=\"font-size:11pt\" color=\"#000000\"><b>De :</b> Harbour Lights Support &lt;support@harbourlights.example&gt;<br>\
        <b>Envoyé :</b> mardi 10 novembre 2026 09:30<br><b>À :</b> Luc Perrin &lt;luc@atelier-perrin.example&gt;<br><b>Objet :</b> Suspensions \
        « Phare »</font><div>&nbsp;</div></div>\n<div>Bonjour Monsieur Perrin,<br>le délai est de trois semaines.</div></body></html>\n";
    odd(
        ("Luc Perrin", "luc@atelier-perrin.example"),
        "RE: Suspensions « Phare »",
        html(page),
    )
}

/// Outlook for iOS: no plain text at all, and a promise to be on a phone.
fn spanish_phone() -> Odd {
    let page = "<html><body><div dir=\"auto\">Sí, mañana a las diez está bien. ¿Traen la escalera?</div><div dir=\"auto\"><br></div>\n\
        <div id=\"ms-outlook-mobile-signature\">Obtener <a href=\"https://aka.example/o0ukef\">Outlook para iOS</a></div>\n\
        <hr style=\"display:inline-block;width:98%\"><div id=\"divRplyFwdMsg\"><b>De:</b> Harbour Lights Support<br><b>Enviado:</b> miércoles, 11 de \
        noviembre de 2026 17:02<br><b>Para:</b> Pilar Soto<br><b>Asunto:</b> Montaje</div><div>¿Le viene bien mañana a las diez?</div></body></html>\n";
    odd(
        ("Pilar Soto", "pilar@soto-decor.example"),
        "Re: Montaje",
        html(page),
    )
}

fn polish_gmail() -> Odd {
    let text = "Dzień dobry,\n\ndziękuję, działa!\n\nPozdrawiam\nAgnieszka\n\nśr., 11 lis 2026 o 12:00 Harbour Lights Support\n\
                <support@harbourlights.example> napisał(a):\n\n> Proszę wymienić bezpiecznik.\n";
    let page = "<div dir=\"ltr\">Dzień dobry,<div><br></div><div>dziękuję, <b>działa</b>!</div><div><br></div><div>Pozdrawiam</div><div>Agnieszka</div></div>\
        <br><div class=\"gmail_quote gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">śr., 11 lis 2026 o 12:00 Harbour Lights Support &lt;\
        <a href=\"mailto:support@harbourlights.example\">support@harbourlights.example</a>&gt; napisał(a):<br></div><blockquote class=\"gmail_quote\" \
        style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex\">Proszę wymienić bezpiecznik.<br></blockquote></div>\n";
    odd(
        ("Agnieszka Wójcik", "a.wojcik@latarnia.example"),
        "Re: Lampa nie świeci",
        Part::Many("alternative", vec![plain(text), html(page)]),
    )
}

/// Answers between the lines: nothing of it may be folded away.
fn inline_answers() -> Odd {
    let text = "On 12 Nov 2026, at 09:15, Harbour Lights Support <support@harbourlights.example> wrote:\n>\n\
                > Which lamp is it?\n\nThe Pier, in brass.\n\n> Do you still have the receipt?\n\nYes, I attach it.\n\n\
                > And where did you buy it?\n\nIn your shop at the old harbour.\n\nBest,\nTomás\n";
    let page = "<html><body style=\"word-wrap: break-word; -webkit-nbsp-mode: space;\"><br><div><br><blockquote type=\"cite\"><div>On 12 Nov 2026, at 09:15, \
        Harbour Lights Support wrote:</div><br><div>Which lamp is it?</div></blockquote><div><br></div><b>The Pier, in brass.</b><br><blockquote type=\"cite\">\
        <div>Do you still have the receipt?</div></blockquote><div>Yes, I attach it.</div><blockquote type=\"cite\"><div>And where did you buy it?</div></blockquote>\
        <div>In your shop at the old harbour.</div><div><br></div><div>Best,</div><div>Tomás</div></div></body></html>\n";
    let receipt = attachment("receipt.png", "image/png", &lamp_picture());
    let letter = Part::Many("alternative", vec![plain(text), html(page)]);
    odd(
        ("Tomás Herrera", "tomas@casaherrera.example"),
        "Re: Your lamp",
        Part::Many("mixed", vec![letter, receipt]),
    )
}

/// Plain text whose paragraphs flow (RFC 3676), answered below, with a signature by the book.
fn flowed() -> Odd {
    let text = "On Thursday, Harbour Lights Support wrote:\n> The dimmer must be rated for LED. Ours is tested with \n> twelve kinds; the list is on our page.\n\n\
                Thank you, that was it. We had an old one from the nineties in the wall, \nand nobody had thought of it. It is \nquiet now, \
                and dims down to almost nothing.\n\nWhile I have you: is there a Beacon in green? My \nhusband insists.\n\n-- \nIngrid Solheim\nSolheim Keramikk, Bergen\n\
                +47 55 00 00 00\n";
    let mut bytes = b"Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".to_vec();
    bytes.extend(crlf(text));
    odd_bytes(
        ("Ingrid Solheim", "ingrid@solheim.example"),
        "Re: Dimmer hums",
        &bytes,
    )
}

/// Forwarded in the text: all of it is what the writer wanted to show.
fn forwarded() -> Odd {
    let text = "Hi,\n\ncan you take this one? It came to my own address.\n\nAnn\n\n---------- Forwarded message ---------\n\
                From: Rosa Lindqvist <rosa@lindqvist.example>\nDate: Fri, 13 Nov 2026 at 08:44\nSubject: Two lamps for the price of one?\n\
                To: <ann.berg@harbourlights.example>\n\nDear Ann,\n\nyour window says two for one until Sunday. Does that go for the Lantern as well?\n\nRosa Lindqvist\n";
    odd(
        ("Ann Berg", "ann.berg@harbourlights.example"),
        "Fwd: Two lamps for the price of one?",
        plain(text),
    )
    .field("X-MS-Exchange-Organization-AuthAs", "Internal")
}

fn japanese_desktop() -> Odd {
    let page = word(
        "<p class=\"MsoNormal\" style=\"font-family:'游ゴシック'\">お世話になっております。</p><p class=\"MsoNormal\">交換品を受け取りました。ありがとうございました。</p>\n\
         <p class=\"MsoNormal\">山田 花子</p><div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0mm 0mm 0mm\"><p class=\"MsoNormal\"><b>From:</b> \
         Harbour Lights Support<br><b>Sent:</b> Thursday, November 12, 2026 3:00 PM<br><b>To:</b> 山田 花子<br><b>Subject:</b> 交換について</p></div>\n\
         <p class=\"MsoNormal\">本日発送いたしました。</p>",
    );
    odd(
        ("山田 花子", "hanako@yamada-shoten.example"),
        "RE: 交換について",
        html(&page),
    )
}
