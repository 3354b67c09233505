//! Mail in other scripts and in the character sets they were written in before there was one for all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Odd, crlf, in_charset, odd, odd_bytes};
use crate::people::compose::{html, plain};

pub(super) fn all() -> Vec<Odd> {
    vec![
        japanese(),
        chinese(),
        russian(),
        arabic(),
        hebrew(),
        unlabelled(),
        emoji(),
    ]
}

/// A subject or name as one encoded word in this character set.
fn encoded_in(label: &str, text: &str) -> String {
    let (bytes, label) = in_charset(label, text);
    format!("=?{label}?B?{}?=", STANDARD.encode(bytes))
}

/// Plain text in a character set, with the given transfer encoding.
fn body_in(label: &str, text: &str, encoding: &str) -> Vec<u8> {
    let (bytes, label) = in_charset(label, &text.replace('\n', "\r\n"));
    let mut out = format!(
        "Content-Type: text/plain; charset={label}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    .into_bytes();
    if encoding == "base64" {
        for line in STANDARD.encode(bytes).as_bytes().chunks(76) {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
    } else {
        out.extend_from_slice(&bytes);
    }
    out
}

fn japanese() -> Odd {
    let text = "ハーバーライツ 御中\n\nいつもお世話になっております。\n株式会社つばめの鈴木です。\n\n先日お送りいただいたランプの見積書について、\n数量を12台に変更していただけますでしょうか。\n\
                納期は今月末を希望しております。\n\nよろしくお願いいたします。\n\n--\n鈴木 一郎\n株式会社つばめ 購買部\n";
    odd_bytes(
        ("", "suzuki@tsubame.example"),
        "",
        &body_in("iso-2022-jp", text, "7bit"),
    )
    .set(
        "From",
        format!(
            "{} <suzuki@tsubame.example>",
            encoded_in("iso-2022-jp", "鈴木 一郎")
        ),
    )
    .set(
        "Subject",
        encoded_in("iso-2022-jp", "見積書の数量変更のお願い"),
    )
}

fn chinese() -> Odd {
    let text = "您好！\n\n我们是上海的一家咖啡馆，想订购二十盏“灯塔”台灯。\n请问可以开增值税发票吗？运费怎么计算？\n\n谢谢！\n李伟\n";
    odd_bytes(
        ("", "li.wei@lighthouse-cafe.example"),
        "",
        &body_in("gb18030", text, "base64"),
    )
    .set(
        "From",
        format!(
            "{} <li.wei@lighthouse-cafe.example>",
            encoded_in("gb18030", "李伟")
        ),
    )
    .set("Subject", encoded_in("gb18030", "关于订购台灯的咨询"))
}

fn russian() -> Odd {
    let text = "Здравствуйте!\n\nЛампа \"Маяк\" пришла, но без вилки для наших розеток. Можно ли заказать переходник?\nИ ещё: подходит ли к ней лампочка на 7 ватт?\n\nС уважением,\nОльга Смирнова\n";
    odd_bytes(
        ("", "olga@mayak-dom.example"),
        "",
        &body_in("koi8-r", text, "8bit"),
    )
    .set(
        "From",
        format!(
            "{} <olga@mayak-dom.example>",
            encoded_in("koi8-r", "Ольга Смирнова")
        ),
    )
    .set(
        "Subject",
        encoded_in("koi8-r", "Лампа \"Маяк\": переходник"),
    )
}

/// Right to left, with a number and a product's name in between.
fn arabic() -> Odd {
    let page = "<html><body dir=\"rtl\" style=\"font-family:Tahoma,Arial;font-size:15px\"><p>السلام عليكم،</p><p>طلبت مصباح Beacon 40 في 3 نوفمبر (رقم الطلب HL-20431) ولم يصل بعد.</p>\
        <p>هل يمكنكم إخباري متى سيصل؟</p><p>مع أطيب التحيات،<br>ليلى حداد</p></body></html>\n";
    odd(
        ("ليلى حداد", "layla@haddad-design.example"),
        "متى يصل الطلب HL-20431؟",
        html(page),
    )
}

fn hebrew() -> Odd {
    let text = "שלום,\n\nקניתי מנורת Pier בחנות שלכם ב-12/10, והמפסק התקלקל.\nהאם האחריות מכסה את זה?\n\nHere is the same in English: the switch of my Pier is broken. Is that covered?\n\nתודה,\nנועם לוי\n";
    odd(
        ("נועם לוי", "noam@levi-studio.example"),
        "אחריות על מנורת Pier",
        plain(text),
    )
}

/// Bytes of windows-1252 that nobody declared, also in the subject.
fn unlabelled() -> Odd {
    let (subject, _) = in_charset("windows-1252", "Größe der Glühbirne für „Möwe“?");
    let (text, _) = in_charset(
        "windows-1252",
        "Guten Tag,\r\n\r\nwelche Glühbirne passt in die Möwe – E14 oder E27? 40 € für eine Ersatzbirne finde ich viel.\r\n\r\nGrüße\r\nUwe Jäger\r\n",
    );
    let mut bytes = b"\r\n".to_vec();
    bytes.extend(text);
    odd_bytes(("Uwe Jaeger", "uwe@jaeger-forst.example"), "", &bytes)
        .set("Subject", subject)
        .without("MIME-Version")
}

fn emoji() -> Odd {
    let mut bytes =
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            .to_vec();
    bytes.extend(crlf(
        "Omg the lantern 😍😍😍 my 👵🏽 wants one too!! do u ship to 🇵🇹? 🙏\n\nสวัสดีจากแม่ด้วยนะคะ\n",
    ));
    odd_bytes(("Mia 🌻", "mia@sunny.example"), "😍 lantern!!! 👩‍👩‍👧", &bytes)
}
