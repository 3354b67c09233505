//! Whole fragments, in and out.

use super::*;

fn shown(html: &str) -> Sanitized {
    let cid_url = |id: &str| (id == "logo@x").then(|| "/files/1".to_owned());
    let display = Display {
        remote_images: false,
        cid_url: &cid_url,
    };
    sanitize(html, &display)
}

fn with_pictures(html: &str) -> Sanitized {
    let display = Display {
        remote_images: true,
        cid_url: &|_| None,
    };
    sanitize(html, &display)
}

#[test]
fn nothing_active_survives() {
    let html = "<p onclick=x()>a</p><script>b</script><form action=x><input name=y>c</form><svg onload=x><a>d</a></svg>\
                <iframe src=x></iframe><meta http-equiv=refresh content=0><base href=x><link rel=stylesheet href=x>\
                <a href=\"java\tscript:alert(1)\">e</a><math><mtext></mtext></math><object data=x>f</object>";
    assert_eq!(shown(html).html, "<p>a</p>c<a>e</a>");
}

#[test]
fn controls_around_an_address_go() {
    let html = shown("<a href='\u{1b}\u{1} https://x.example/a\n'>x</a>").html;
    assert!(html.contains("href=\"https://x.example/a\""), "{html}");
}

#[test]
fn the_words_of_a_form_stay_and_its_fields_go() {
    let html = "<form action=x><fieldset><legend>Survey</legend><label>Your name <input name=a></label>\
                <select><option>b</select><button>Send it</button></fieldset></form>";
    assert_eq!(shown(html).html, "SurveyYour name Send it");
}

#[test]
fn remote_pictures_wait_and_own_ones_are_served() {
    let html = "<img src=\"https://pics.example/p.jpg\" alt=\"Our shop\"><img src=\"cid:logo%40x\"><img src=\"//cdn.example/y.png\">\
                <table background='http://x.example/w'><tr><td background=\"http://x.example/z\"></td></tr></table>\
                <img src='https://track.example/o.gif' width=1 height=1>";
    let result = shown(html);
    assert_eq!(
        (result.remote_images_blocked, result.tracking_pixels),
        (5, 1)
    );
    assert!(result.html.contains("src=\"/files/1\"") && !result.html.contains("example"));
    assert!(result.html.contains("alt=\"Our shop\""));
}

#[test]
fn remote_pictures_are_loaded_when_allowed_but_tracking_pixels_never() {
    let result = with_pictures(
        "<img src=\"//cdn.example/y.png\"><picture><source srcset='https://x.example/s.webp'>\
         <img srcset='https://x.example/a.png 1x, https://x.example/b.png 2x'></picture>\
         <img src='https://track.example/o.gif' width=1 height=1>\
         <div style=\"background:url('https://x.example/back.png')\">x</div>",
    );
    assert_eq!(
        (result.remote_images_blocked, result.tracking_pixels),
        (1, 1)
    );
    assert!(!result.html.contains("track.example") && !result.html.contains("s.webp"));
    for address in [
        "https://cdn.example/y.png",
        "https://x.example/a.png",
        "https://x.example/back.png",
    ] {
        assert!(
            result.html.contains(address),
            "{address} in {}",
            result.html
        );
    }
}

#[test]
fn a_dot_stretched_to_a_line_keeps_its_height() {
    let line = with_pictures("<img src='https://x.example/dot.gif' width=600 height=1>").html;
    assert!(line.contains("class=\"mailhatch-line\""), "{line}");
    let photo = with_pictures("<img src='https://x.example/a.jpg' width=600 height=200>").html;
    assert!(!photo.contains("class"), "{photo}");
}

#[test]
fn links_open_outside_tell_nothing_and_say_where_they_lead() {
    assert_eq!(
        shown("<a href='https://x.org/y' target=_top title=bank>y</a>").html,
        "<a href=\"https://x.org/y\" title=\"Leads to x.org/y\" target=\"_blank\" rel=\"noopener noreferrer\">y</a>"
    );
    let lie = shown("<a href='https://evil.example/'><b>www.bank.example</b></a>").html;
    assert!(
        lie.ends_with("</a> <span class=\"mailhatch-elsewhere\">leads to evil.example</span>"),
        "{lie}"
    );
}

#[test]
fn places_within_the_mail_can_be_linked_to() {
    assert_eq!(
        shown("<a href=\"#two\">2</a><h2 id=two>b</h2><a name=two href='#'>c</a>").html,
        "<a href=\"#m-two\">2</a><h2 id=\"m-two\">b</h2><a>c</a>"
    );
}

#[test]
fn style_sheets_are_filtered_bound_and_put_first() {
    let result = shown(
        "<style>p{margin:1px;position:fixed}</style><p style=\"top:0;font-weight:bold\">x</p>",
    );
    assert_eq!(
        result.html,
        "<style>\n.mailhatch-mail p{margin:1px}\n</style>\n<p style=\"font-weight:bold\">x</p>"
    );
}

#[test]
fn what_the_body_says_of_itself_is_kept() {
    let result = shown(
        "<html><body class='news mailhatch-bar' bgcolor=003366 text='#FFFFFF' style='margin:0;position:fixed' \
         background='http://x.example/y.png'>x</body></html>",
    );
    assert_eq!(result.body_class, "news");
    assert_eq!(
        result.html,
        "<style>\n.mailhatch-mail{background-color:#003366;color:#FFFFFF}\n.mailhatch-mail{margin:0}\n</style>\nx"
    );
    assert!(result.needs_paper);
    assert_eq!(result.remote_images_blocked, 1);
    let links = shown("<style>a{margin:0}</style><body link=ffff00>x</body>").html;
    let rules =
        "<style>\n.mailhatch-mail a{color:#ffff00}\n.mailhatch-mail a{margin:0}\n</style>\nx";
    assert_eq!(links, rules);
}

#[test]
fn colours_follow_the_page_unless_they_need_paper() {
    let result = shown(
        "<p style='color:black;background:white'>a <font color=1F497D>b</font></p><table bgcolor=white><tr><td bgcolor='#ffffff'>c</table>",
    );
    assert!(!result.needs_paper);
    for part in [
        "color:light-dark(black,#e6e6e6);background-color:light-dark(white,transparent)",
        "<font style=\"color:light-dark(#1F497D,#",
        "<table style=\"background-color:light-dark(white,transparent)\">",
        "<td style=\"background-color:light-dark(#ffffff,transparent)\">",
    ] {
        assert!(result.html.contains(part), "{part} in {}", result.html);
    }
    for html in [
        "<p style='background:navy;color:white'>a",
        "<table><tr><td bgcolor=#004488>b</table>",
        "<style>.x{background:#ff0}</style>c",
        "<font color=white>d</font>",
    ] {
        assert!(shown(html).needs_paper, "{html}");
    }
}

#[test]
fn what_office_writes_for_itself_is_not_shown() {
    let html = "<!--[if mso]><p>for Outlook</p><![endif]--><![if !mso]><p>for all</p><![endif]>\
                <!--[if !mso]><!--><p>for others</p><!--<![endif]--><o:p>&nbsp;</o:p>\
                <xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml>\
                <?xml:namespace prefix = o /><v:shape><v:imagedata src=\"cid:logo@x\"/><v:textbox>in a box</v:textbox></v:shape>";
    assert_eq!(
        shown(html).html,
        "<p>for all</p><p>for others</p>&nbsp;<img src=\"/files/1\">in a box"
    );
    let beside = "<!--[if gte vml 1]><v:imagedata src=\"cid:a\"/><![endif]--><![if !vml]><img src=\"cid:logo@x\"><![endif]>";
    assert_eq!(shown(beside).html, "<img src=\"/files/1\">");
}

#[test]
fn no_class_or_id_can_be_taken_for_one_of_ours() {
    assert_eq!(
        shown("<p class='a mailhatch-bar MailHatch-x' id=mailhatch>x</p>").html,
        "<p id=\"m-mailhatch\" class=\"a\">x</p>"
    );
}

#[test]
fn sizes_beyond_reason_are_ignored() {
    assert_eq!(
        shown("<table width=99999 border=100000 cellpadding=2><tr><td rowspan=65534 width='50%'>x</table>").html,
        "<table cellpadding=\"2\"><tbody><tr><td width=\"50%\">x</td></tr></tbody></table>"
    );
}

#[test]
fn what_is_wider_than_a_telephone_is_marked() {
    let html = shown("<table width=600><tr><td width=40>a<td style='width:400px'>b</table><div style='width:100%'>c</div>").html;
    assert_eq!(
        html.matches("class=\"mailhatch-broad\"").count(),
        2,
        "{html}"
    );
}

#[test]
fn two_hundred_tables_inside_each_other_are_built() {
    let html = format!(
        "{}deep{}",
        "<table><tr><td>".repeat(200),
        "</td></tr></table>".repeat(200)
    );
    let clean = shown(&html).html;
    assert!(clean.contains("deep") && clean.matches("<table>").count() == 200);
}

#[test]
fn a_page_made_to_cost_hours_is_shown_as_text() {
    let html = format!("{}deep", "<div>".repeat(200_000));
    assert_eq!(shown(&html).html, "deep");
}

#[test]
fn quotes_and_signs_in_attributes_stay_inside() {
    let html = "<p title='\"><script>x</script>' style='font-family:\"a&quot;b\"'>&lt;b&gt;</p><img alt='\"><b>' src='https://x.example/\"onload=x'>";
    let clean = with_pictures(html).html;
    assert!(
        !clean.contains("<script") && !clean.contains("<b>"),
        "{clean}"
    );
    assert!(clean.contains("%22onload"), "{clean}");
}

#[test]
fn what_an_agent_typed_keeps_its_look_but_no_classes() {
    assert_eq!(
        sanitize_outgoing(
            "<div class=x id=y style=\"color:#000\">a<img src=\"cid:1\"><img src=\"data:image/png;base64,AA\">\
             <font color=red>b</font><a href=\"https://x.org\" title=\"t\">c</a></div>"
        ),
        "<div style=\"color:#000\">a<img src=\"cid:1\"><img><font color=\"red\">b</font>\
         <a href=\"https://x.org\" target=\"_blank\" rel=\"noopener noreferrer\" title=\"t\">c</a></div>"
    );
}

#[test]
fn large_and_hostile_pages_stay_in_proportion_to_their_size() {
    let pieces = [
        "<a href='https://x.example/?url=https%3A%2F%2Fy.example'>https://z.example</a> ",
        "<p style='color:rgb(((((((((;font-family:\"a;margin:calc(calc(calc(1px'>x",
        "<img src=cid:a alt='words and words and words' style='width:1px;width:2px;width:300px'>",
        "<style>a,b,c{color:red}@media (max-width:1px){a{b:c}}</style>",
        "<style>a[b=\"{{{{((((((\\</style>",
        "<table background=x bgcolor=#123456 width=999><td style='background:url(a)url(b)url(c)'>",
        "<b>&amp;&lt;&copy;&bogus</b>",
        "<![if !mso]><o:p>x</o:p><![endif]><!--[if mso]>y<![endif]-->",
    ];
    for piece in pieces {
        // A quadratic reading would not end.
        let html = piece.repeat(10_000);
        assert!(shown(&html).html.len() <= html.len() * 12, "{piece}");
    }
}
