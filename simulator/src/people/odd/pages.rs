//! Mail that wants to be a web page.

use super::{Odd, odd};
use crate::people::compose::{Part, html, inline, lamp_picture, plain};

pub(super) fn all() -> Vec<Odd> {
    vec![newsletter(), dark(), nested(), tracked(), wide()]
}

/// A shop's newsletter: tables in tables, pictures from elsewhere, styles for phones, conditional comments.
fn newsletter() -> Odd {
    let product = |name: &str, price: &str, at: u32| {
        format!(
            "<td width=\"280\" valign=\"top\" style=\"padding:10px;\"><a href=\"https://click.lumenmarkt.example/p/{at}?u=8812\"><img src=\"https://img.lumenmarkt.example/{at}.jpg\" \
             width=\"260\" height=\"180\" alt=\"{name}\" style=\"display:block;border:0;\"></a><p style=\"font:16px Georgia,serif;color:#333;margin:8px 0 0;\">{name}</p>\
             <p style=\"font:bold 18px Georgia,serif;color:#b0342b;margin:2px 0;\">{price}</p></td>"
        )
    };
    let page = format!(
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\"><html><head>\
         <style>@media only screen and (max-width:600px){{.col{{width:100%!important;display:block!important}}}} .btn:hover{{opacity:.8}}</style>\
         <!--[if mso]><style>td{{font-family:Arial}}</style><![endif]--></head><body style=\"margin:0;background:#efe9dd;\">\n\
         <div style=\"display:none;max-height:0;overflow:hidden;\">Up to 40 % off until Sunday&#847;&zwnj;&nbsp;&#847;&zwnj;&nbsp;</div>\n\
         <table role=\"presentation\" width=\"100%\" bgcolor=\"#efe9dd\" cellpadding=\"0\" cellspacing=\"0\"><tr><td align=\"center\">\n\
         <table width=\"600\" bgcolor=\"#ffffff\" cellpadding=\"0\" cellspacing=\"0\"><tr><td bgcolor=\"#20302b\" align=\"center\" style=\"padding:24px;\">\
         <img src=\"https://img.lumenmarkt.example/logo.png\" width=\"180\" height=\"40\" alt=\"Lumenmarkt\"></td></tr>\n\
         <tr><td style=\"padding:24px 20px 0;font:26px Georgia,serif;color:#20302b;\">The dark season is here</td></tr>\n\
         <tr><td style=\"padding:8px 20px;font:16px/1.5 Georgia,serif;color:#444;\">Dear customer, we have picked lamps for long evenings. Everything below is reduced \
         until Sunday.</td></tr><tr><td><table width=\"600\"><tr>{}{}</tr><tr>{}{}</tr></table></td></tr>\n\
         <tr><td align=\"center\" style=\"padding:20px;\"><!--[if mso]><v:roundrect xmlns:v=\"urn:schemas-microsoft-com:vml\" href=\"https://click.lumenmarkt.example/all\">\
         <center>See all</center></v:roundrect><![endif]--><!--[if !mso]><!--><a class=\"btn\" href=\"https://click.lumenmarkt.example/all?u=8812\" style=\"display:inline-block;\
         background:#b0342b;color:#fff;padding:14px 32px;border-radius:4px;font:bold 16px Arial,sans-serif;text-decoration:none;\">See all</a><!--<![endif]--></td></tr>\n\
         <tr><td style=\"padding:20px;font:11px Arial,sans-serif;color:#999;\">You get this because you bought something once. <a href=\"https://click.lumenmarkt.example/bye?u=8812\" \
         style=\"color:#999;\">Unsubscribe</a><img src=\"https://click.lumenmarkt.example/o.gif?u=8812\" width=\"1\" height=\"1\" alt=\"\"></td></tr></table></td></tr></table></body></html>\n",
        product("Reading lamp “Moth”", "39,90 €", 1),
        product("Floor lamp “Heron”", "129,00 €", 2),
        product("Garland, 10 m", "19,90 €", 3),
        product("Candle, six pieces", "12,50 €", 4)
    );
    let text = "The dark season is here\n\nUp to 40 % off until Sunday: https://click.lumenmarkt.example/all?u=8812\n\nUnsubscribe: https://click.lumenmarkt.example/bye?u=8812\n";
    odd(
        ("Lumenmarkt", "news@lumenmarkt.example"),
        "🕯️ The dark season is here: up to 40 % off",
        Part::Many("alternative", vec![plain(text), html(&page)]),
    )
    .field(
        "List-Unsubscribe",
        "<https://click.lumenmarkt.example/bye?u=8812>",
    )
    .field("List-Id", "<news.lumenmarkt.example>")
    .field("Precedence", "bulk")
}

/// White letters on black, and black ones on nothing.
fn dark() -> Odd {
    let page = "<html><body bgcolor=\"#101014\" style=\"background-color:#101014;color:#eaeaf0;font-family:Verdana,sans-serif;\"><table width=\"100%\" bgcolor=\"#101014\"><tr>\
        <td style=\"padding:28px;\"><h2 style=\"color:#ffd479;margin:0 0 12px;\">Night Shift Festival</h2><p style=\"color:#eaeaf0;\">We need forty lamps for three nights. \
        White letters on black look good on our page, so we write our mail that way, too.</p><p><font color=\"#7fd7ff\">When can we come and look?</font></p>\
        <p style=\"color:#000000;background:#ffd479;padding:8px;\">Black on yellow: the dates are 4 to 6 December.</p><p style=\"color:#555\">Small grey words nobody reads.</p></td></tr></table></body></html>\n";
    odd(
        ("Night Shift Festival", "crew@nightshift.example"),
        "Forty lamps, three nights",
        html(page),
    )
}

/// Tables in tables, sixty deep.
fn nested() -> Odd {
    let mut page =
        "<p>If you can read this without scrolling sideways, the tables around it did no harm.</p>"
            .to_owned();
    for level in 0..60 {
        let width = if level % 7 == 0 { " width=\"640\"" } else { "" };
        page = format!(
            "<table{width} cellpadding=\"1\" border=\"0\"><tr><td>{page}</td></tr></table>"
        );
    }
    odd(
        ("Old Template Ltd", "mailer@oldtemplate.example"),
        "Sixty tables",
        html(&page),
    )
}

/// An order confirmation that counts who opens it, three times over.
fn tracked() -> Odd {
    let page = "<html><body><p>Hello Harbour Lights,</p><p>your parcel <b>88-1043</b> was handed in. \
        <a href=\"https://eur02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fparcelpost.example%2Ftrack%2F88-1043&amp;data=05%7C02&amp;reserved=0\">Follow it here</a>.</p>\
        <img src=\"https://open.parcelpost.example/1.gif?id=1\" width=\"1\" height=\"1\"><img src=\"https://pixel.adnet.example/x?id=2\" style=\"width:1px;height:1px;display:none\">\
        <img src=\"http://beacon.mailsee.example/t.png\" height=\"0\" width=\"0\"><p>Parcelpost</p></body></html>\n";
    odd(
        ("Parcelpost", "no-reply@parcelpost.example"),
        "Parcel 88-1043 was handed in",
        html(page),
    )
    .field("Auto-Submitted", "auto-generated")
}

/// A table that is wider than any screen, and a picture that is in the mail.
fn wide() -> Odd {
    let head: String = (1..=24)
        .map(|week| format!("<th>Week {week}</th>"))
        .collect();
    let row = |name: &str, by: usize| {
        let cells: String = (1..=24)
            .map(|week| format!("<td align=\"right\">{}</td>", week * by % 97))
            .collect();
        format!("<tr><td nowrap>{name}</td>{cells}</tr>")
    };
    let page = format!(
        "<html><body><p>Sold pieces by week:</p><table border=\"1\" cellspacing=\"0\" cellpadding=\"4\" style=\"border-collapse:collapse;font:13px Arial\"><tr><th>Lamp</th>{head}</tr>{}{}{}</table>\
         <p>And the one that came back:</p><p><img src=\"cid:back@ledger\" width=\"320\" alt=\"A cracked lamp\"></p></body></html>\n",
        row("Beacon 40", 13),
        row("Lantern", 29),
        row("Pier, brass", 41)
    );
    let picture = inline("back@ledger", "back.png", "image/png", &lamp_picture());
    odd(
        ("Rowan Ledger", "rowan@ledger-and-light.example"),
        "Half a year in one table",
        Part::Many("related", vec![html(&page), picture]),
    )
}
