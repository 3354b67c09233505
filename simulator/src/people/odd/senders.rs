//! Senders who are not who they say, files that are not what they seem, and honest mail that looks like it.

use super::{Odd, odd};
use crate::people::compose::{Checks, Part, attachment, html, plain};

pub(super) fn all(to: &str) -> Vec<Odd> {
    vec![
        phishing(),
        look_alike(),
        colleague(),
        our_own(to),
        dangerous(),
        spam(),
        contact_form(),
        named_address(),
    ]
}

fn phishing() -> Odd {
    let page = "<html><body style=\"font-family:Segoe UI,Arial\"><table width=\"520\" align=\"center\" style=\"border:1px solid #ddd\"><tr><td style=\"padding:24px\"><h2 style=\"color:#2b579a\">Your mailbox is full</h2>\
        <p>Dear user, <b>3 messages</b> were not delivered. Confirm your password within 24 hours or your account will be closed.</p>\
        <p><a href=\"https://login.account-verify.example/owa\" style=\"background:#2b579a;color:#fff;padding:10px 20px;text-decoration:none\">https://outlook.office.com/mail</a></p>\
        <p style=\"font-size:11px;color:#888\">Mail Administrator</p></td></tr></table></body></html>\n";
    odd(
        ("Mail Administrator", "it-support@northbank.example"),
        "⚠ Action required: your mailbox is full",
        html(page),
    )
    .after(Checks::Phishing)
}

/// A one for an l, and everything confirmed: by the impostor's own domain.
fn look_alike() -> Odd {
    odd(
        (
            "Harbour Lights Accounting",
            "accounting@harbour1ights.example",
        ),
        "New bank account for supplier payments",
        plain(
            "Hello,\n\nfrom today please pay all suppliers through our new account. Details follow by telephone. Please treat this as urgent and confidential.\n\nAccounting\n",
        ),
    )
}

fn colleague() -> Odd {
    odd(
        ("Alex Admin", "alex.admin.office@mailbox-free.example"),
        "Are you at your desk?",
        plain("I am in a meeting and cannot talk. I need you to buy some gift cards for a customer. Write back as soon as you see this.\n\nAlex\n\nSent from my phone\n"),
    )
    .after(Checks::None)
}

fn our_own(to: &str) -> Odd {
    odd(
        ("Harbour Lights", to),
        "Voice message (0:42)",
        plain("You have a new voice message. It is attached.\n"),
    )
    .after(Checks::Forged)
}

fn dangerous() -> Odd {
    let note = b"This file is empty on purpose.\r\n";
    let names = [
        ("Invoice 2026-11.pdf.exe", "application/pdf"),
        ("Voicemail.html", "text/html"),
        (
            "prices-2027.xlsm",
            "application/vnd.ms-excel.sheet.macroEnabled.12",
        ),
        ("drawings.iso", "application/octet-stream"),
        ("logo.svg", "image/svg+xml"),
        ("documents (password 1234).zip", "application/zip"),
        ("setup.js", "application/javascript"),
        ("harmless.pdf", "application/pdf"),
    ];
    let mut parts = vec![plain("Please see the attached documents and pay today.\n")];
    parts.extend(names.map(|(name, kind)| attachment(name, kind, note)));
    odd(
        ("Billing Department", "billing@quick-invoice.example"),
        "Overdue: invoice 2026-11",
        Part::Many("mixed", parts),
    )
    .after(Checks::None)
}

fn spam() -> Odd {
    odd(
        ("Grow Faster", "sales@growfaster.example"),
        "Re: your website is invisible!!!",
        plain("Hi,\n\nI looked at your website and found 17 errors. For only 99 a month we bring you to PAGE ONE.\n\nReply YES.\n"),
    )
    .after(Checks::Spam)
}

/// A contact form: from the shop's own server, to be answered to the customer.
fn contact_form() -> Odd {
    odd(
        ("Harbour Lights website", "website@shop-host.example"),
        "Contact form: question about delivery",
        plain(
            "Name: Femke Visser\nAddress: femke@visser.example\n\nDo you deliver to the islands?\n",
        ),
    )
    .field("Reply-To", "Femke Visser <femke@visser.example>")
}

fn named_address() -> Odd {
    odd(
        ("support@northbank.example", "x81@cheap-server.example"),
        "Payment received",
        plain("A payment of 1,200.00 was received. Log in to accept it.\n"),
    )
    .after(Checks::None)
}
