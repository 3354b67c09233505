//! What mail programs write around quotations, language by language.
//!
//! The tables are lists of facts gathered from what the programs show in each language: Outlook
//! (desktop, web, phone), Gmail, Apple Mail, Thunderbird, Yahoo and the webmails of large providers.
//! A row is a language; words of a column stand between commas. All in lower case.

/// language | From | Date | To | Cc | Subject
pub(super) const LABELS: &str = "\
en | from, sender | date, sent, date sent, sent at, sent on | to, recipient, recipients | cc, copy | subject
de | von, absender | gesendet, gesendet am, datum, geschickt | an, empfänger | kopie, kopie an | betreff, betrifft, thema
fr | de, expéditeur, expediteur | envoyé, envoyé le, envoye, envoye le, date d'envoi, message du | à, a, pour, destinataire, destinataires | copie, copie à | objet, sujet
es | de, remitente | enviado, enviado el, fecha, fecha de envío | para, destinatario, destinatarios | con copia, copia | asunto
pt | de, remetente | enviado em, enviada, enviada em, data, data de envio | para, destinatário | cópia, com cópia | assunto
it | da, mittente | inviato, inviato il, inviata, data invio | per, destinatari | p.c., copia a | oggetto
nl | van, afzender | verzonden, verzonden op, verstuurd | aan, naar | kopie naar | onderwerp
sv | från, avsändare | skickat, skickades | till, mottagare | kopia, kopia till | ämne
da | fra, afsender | sendt, sendt den, dato | til, modtager | kopi, kopi til | emne
no | fra, avsender | sendt, dato | til, mottaker | kopi, kopi til | emne
fi | lähettäjä, keneltä | lähetetty, päivämäärä, päiväys, lähetysaika | vastaanottaja, kenelle, saaja | kopio | aihe
is | frá, sendandi | dagsetning, dags | viðtakandi | afrit | efni
pl | od, nadawca | wysłano, wysłane, wysłany, data wysłania | do, adresat, odbiorca | dw, do wiadomości | temat
cs | od, odesílatel | odesláno, posláno | komu, pro, příjemce | kopie | předmět
sk | od, odosielateľ | odoslané, dátum, poslané | komu, príjemca | kópia | predmet
hu | feladó, küldő | elküldve, küldve, dátum, küldés dátuma, időpont | címzett, címzettek | másolat, másolatot kap | tárgy
ro | de la, expeditor, expeditorul | trimis, dată, data trimiterii, trimisă | către, la, destinatar, destinatarul, pentru | cópie | subiect, subiectul
bg | от, подател | изпратено, дата, изпратен | до, към, получател | копие, як | относно
ru | от, от кого, отправитель | отправлено, дата отправки | кому, для, получатель | копия, копии | тема
uk | від, від кого, відправник | надіслано, відправлено | одержувач | копія | тема
sr | šalje, пошиљалац, шаље | poslato, послато, датум | za, за, коме, kome, прима | kopija, копија | naslov, наслов
hr | šalje, pošiljatelj | poslano, datum slanja | prima, primatelj | kopija | predmet
sl | pošiljatelj | poslano | prejemnik | kp | zadeva
mk | испраќач | испратено | примач | копија | наслов
el | από, αποστολέας | στάλθηκε, ημερομηνία, απεστάλη, εστάλη | προς, παραλήπτης | κοιν, κοινοποίηση | θέμα
tr | kimden, gönderen, gönderici | gönderildi, gönderme tarihi, gönderim tarihi, gönderilme tarihi, tarih | kime, alıcı | bilgi, kopya | konu
et | saatja, kellelt | saadetud, kuupäev | kellele, adressaat | koopia | teema
lv | no, sūtītājs | nosūtīts, datums | kam, adresāts, saņēmējs | kopija | temats, tēma
lt | nuo, siuntėjas | išsiųsta, siųsta | gavėjas | kopija | tema
ca | de, remitent | enviat, enviat el | per a, destinatari | a/c | assumpte
eu | nork, bidaltzailea | bidalia | nori, hartzailea | kopia | gaia
gl | de, remitente | enviado o | para | copia | asunto
cy | oddi wrth | anfonwyd, dyddiad | at | copi | pwnc
ga | ó | seolta, dáta | chuig | cóip | ábhar
sq | nga, dërguesi | dërguar | për | kopje | tema, subjekti
af | van | gestuur | aan | afskrif | onderwerp
he | מאת | נשלח, תאריך | אל, עבור | עותק, העתק | נושא
ar | من, المرسل | تم الإرسال, التاريخ, أرسلت, تاريخ الإرسال | إلى, الى | نسخة, نسخة إلى | الموضوع
fa | از, فرستنده | ارسال شده, تاریخ, ارسال | به, گیرنده | رونوشت | موضوع
hi | प्रेषक, से | दिनांक, भेजा गया, तारीख | प्रति, को | प्रतिलिपि | विषय
th | จาก | ส่งเมื่อ, วันที่, ส่ง | ถึง | สำเนา, สำเนาถึง | เรื่อง, หัวเรื่อง
vi | từ, người gửi | đã gửi, ngày, vào | đến, tới, người nhận | đồng gửi | chủ đề, tiêu đề
id | dari, pengirim, daripada | dikirim, tanggal, terkirim, dihantar, tarikh | kepada, untuk, penerima | tembusan, salinan | perihal, subjek, hal, subyek
ja | 差出人, 送信者, 送信元 | 送信日時, 日時, 日付, 送信日 | 宛先 | 写し | 件名, 題名
ko | 보낸 사람, 보낸사람, 발신 | 보낸 날짜, 보낸날짜, 날짜, 보낸 시간 | 받는 사람, 받는사람, 수신 | 참조 | 제목
zh | 发件人, 發件人, 寄件者, 寄件人, 发信人 | 发送时间, 发送日期, 日期, 寄件日期, 傳送時間, 发件时间, 已发送, 時間, 时间 | 收件人, 收件者 | 抄送, 副本 | 主题, 主旨, 主題, 标题
";

/// Labels that may stand among the others and prove nothing.
pub(super) const OTHER_LABELS: &str = "\
bcc, reply-to, reply to, répondre à, antwort an, responder a, responder para, rispondi a, antwoord aan, \
svara till, svar til, odpowiedz do, odpověď, ответить, importance, priority, wichtigkeit, priorität, \
importancia, importância, priorità, urgentie, prioritet, attachments, anlagen, pièces jointes, adjuntos, \
anexos, allegati, bijlagen, bilagor, organisation, organization, sensitivity, cci, cco, ccn, bilaga, \
vedhæftede filer, liitteet, załączniki, přílohy, вложения, ekler, 重要度, 添付ファイル, 附件";

/// Verbs of an attribution such as “On …, Ada wrote:”, in languages with spaces.
pub(super) const WROTE: &str = "\
wrote, writes, schrieb, schrieben, geschrieben, schreibt, écrit, ecrit, escribió, escribio, escribe, escreveu, \
escreveram, scritto, scrisse, scrive, schreef, geschreven, schreven, schrijft, skrev, skriver, kirjoitti, \
skrifaði, napisał, napisała, napisana, napisano, pisze, napsal, napsala, napísal, napísala, írta, scris, \
написа, написал, написала, пишет, писал, писала, написав, пише, написао, напиша, napisao, napisala, \
έγραψε, yazdı, yazmış, yazdi, kirjutas, kirjutanud, rakstīja, rašė, parašė, escriure, escrit, idatzi, escribiu, \
ysgrifennodd, scríobh, shkroi, geskryf, كتب, كتبت, نوشت, כתב, כתבה, כתבו, מאת, missatge, viết, menulis, tulis";

/// How an attribution ends in languages that write without spaces.
pub(super) const WROTE_ENDINGS: &[&str] = &[
    "写道",
    "寫道",
    "书写",
    "提到",
    "のメール",
    "書きました",
    "のメッセージ",
    "님이 작성",
    "작성",
    "썼습니다",
    "쓴 글",
    "씀",
    "เขียนว่า",
    "เขียน",
    "ने लिखा",
    "लिखा",
];

/// First words of an attribution: prepositions, weekdays, months.
pub(super) const OPENERS: &str = "\
on, at, am, le, el, den, il, op, em, w, dnia, dne, dňa, a, la, ti, no, no, в, у, во, на, om, på, pe, în, in, \
dana, στις, σας, vào, pada, quoting, von, à, d, kl, wiadomość, wiadomosc, data, în, em, o, ar, an, þann, \
mon, tue, wed, thu, fri, sat, sun, monday, tuesday, wednesday, thursday, friday, saturday, sunday, \
mo, di, mi, do, fr, sa, so, montag, dienstag, mittwoch, donnerstag, freitag, samstag, sonntag, \
lun, mar, mer, jeu, ven, sam, dim, lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche, \
mié, jue, vie, sáb, dom, lunes, martes, miércoles, jueves, viernes, sábado, domingo, gio, sab, giovedì, \
lunedì, martedì, mercoledì, venerdì, domenica, seg, ter, qua, qui, sex, segunda, terça, quarta, quinta, sexta, \
ma, wo, vr, za, zo, maandag, dinsdag, woensdag, donderdag, vrijdag, zaterdag, zondag, \
mån, tis, ons, tors, tor, fre, lör, lør, sön, søn, man, tir, måndag, tisdag, onsdag, torsdag, fredag, lördag, \
söndag, mandag, tirsdag, lørdag, søndag, ke, to, su, pon, wt, śr, czw, pt, sob, niedz, ndz, po, út, st, čt, pá, ne, \
ut, str, štv, pi, h, k, sze, cs, p, szo, пн, вт, ср, чт, пт, сб, вс, нд, пон, вто, сря, чет, пет, съб, нед, \
понедельник, вторник, среда, четверг, пятница, суббота, воскресенье, mie, joi, vin, sâm, dum, \
pzt, sal, çar, per, cum, cmt, paz, δευ, τρι, τετ, πεμ, παρ, σάβ, κυρ, uto, sri, čet, pet, ned, tor, sre, \
jan, feb, apr, may, jun, jul, aug, sep, sept, oct, nov, dec, january, february, march, april, june, july, \
august, september, october, november, december, في, בתאריך, ב, در";

/// Who speaks of himself or to us when he says that somebody wrote something.
pub(super) const PRONOUNS: &str = "\
i, you, he, she, we, they, ich, du, sie, er, wir, ihr, tu, vous, il, elle, nous, ik, u, jij, hij, zij, wij, \
yo, usted, él, ella, eu, você, ele, ela, lei, lui, jag, han, hon, jeg, hun, я, вы, ты, он, она, мы, \
me, us, mir, mich, uns, ihnen, nos, mij, ons, mig, meg, oss, mnie, mně, mne, мне, нам, вам";

/// Words that lead a person's own sentence about what somebody wrote.
pub(super) const LEADS: &str =
    "as, like, wie, comme, como, come, zoals, som, kuten, jak, как, since, because, when, what";

/// language | original message | forwarded message, by the stems that tell it
pub(super) const MARKS: &str = "\
en | original message, original appointment, original mail, reply message, previous replies | forwarded message, forwarded by, forwarded mail, forwarded email, begin forward, forward header, end forward
de | ursprüngliche nachricht, originalnachricht, original-nachricht, originaltermin, ursprünglicher termin, originalmail, vorherige antworten | weitergeleitet, weiterleitung
fr | message d'origine, message d’origine, message original, message initial, courriel original, rendez-vous d'origine, réponses précédentes | transféré, réexpédié, transferé, faire suivre
es | mensaje original, correo original, cita original, respuestas anteriores, respuestas previas | reenviado, reexpedido
pt | mensagem original, compromisso original, respostas anteriores | encaminhada, reencaminhada, encaminhado
it | messaggio originale, messaggio original, appuntamento originale, risposte precedenti | inoltrato, inoltrata
nl | oorspronkelijk bericht, oorspronkelijke afspraak, origineel bericht, oorspronkelijke bericht, vorige antwoorden, vorige reacties, eerdere antwoorden | doorgestuurd, doorgezonden
sv | ursprungligt meddelande, originalmeddelande, ursprunglig avtalad, tidigare svar, föregående svar | vidarebefordra
da | oprindelig meddelelse, original meddelelse, oprindelig besked, original besked, oprindelig aftale, tidligere svar, forrige svar | videresend
no | opprinnelig melding, original melding, opprinnelig avtale | videresend
fi | alkuperäinen viesti, alkuperäinen tapaaminen, aiemmat vastaukset, edelliset vastaukset | välitetty, edelleenlähet, edelleen lähet
is | upprunaleg skilaboð, upprunalegt | áframsen, framsen
pl | wiadomość oryginalna, oryginalna wiadomość, pierwotna wiadomość, wiadomość pierwotna, poprzednie odpowiedzi, wcześniejsze odpowiedzi | przekaz, przesłana dalej
cs | původní zpráva, originální zpráva, původní e-mail, předchozí odpovědi | přeposl, přepos, předan
sk | pôvodná správa, originálna správa | preposl, preposiel
hu | eredeti üzenet, eredeti levél | továbbít
ro | mesaj original, mesajul original, mesaj inițial, mesajul inițial | redirecționat, transmis mai departe, redirectionat
bg | оригинално съобщение, първоначално съобщение | препрат, препращ
ru | исходное сообщение, оригинальное сообщение, первоначальное сообщение, исходное письмо, предыдущие ответы | пересыла, пересланн, перенаправл, переадресов
uk | оригінальне повідомлення, вихідне повідомлення, початкове повідомлення, попередні відповіді | переслан, пересила, перенаправл
sr | originalna poruka, оригинална порука, izvorna poruka, изворна порука | prosleđen, прослеђен, proslijeđen
hr | izvorna poruka, originalna poruka | proslijeđen, proslijedi
sl | izvirno sporočilo, originalno sporočilo | posredovan
el | αρχικό μήνυμα, πρωτότυπο μήνυμα | προωθημέν, προώθηση
tr | orijinal mesaj, özgün ileti, orijinal ileti, özgün mesaj, orjinal mesaj, önceki yanıtlar, önceki cevaplar | iletilen, iletilmiş, yönlendirilmiş, yönlendirilen, ileti başlang
et | algne kiri, algne sõnum, originaalsõnum, algsõnum | edasta, edastatud
lv | sākotnējais ziņojums, oriģinālais ziņojums | pārsūtīt
lt | pradinis laiškas, pirminis laiškas, originalus laiškas, pradinis pranešimas | persiųst
ca | missatge original | reenviat
eu | jatorrizko mezua | birbidali
gl | mensaxe orixinal | reenviada
he | הודעה מקורית, ההודעה המקורית, תגובות קודמות | שהועבר, מועבר, הועבר
ar | الرسالة الأصلية, رسالة أصلية, الردود السابقة | تم تحويل, محوّل, محول, معاد توجيه, إعادة توجيه
fa | پیام اصلی | هدایت شده, ارسال مجدد
hi | मूल संदेश | अग्रेषित
th | ข้อความต้นฉบับ, ข้อความดั้งเดิม | ส่งต่อ
vi | thư gốc, tin nhắn gốc, thông điệp gốc | chuyển tiếp
id | pesan asli, mesej asal | diteruskan, dimajukan
ja | 元のメッセージ, オリジナルメッセージ, 元のメール, オリジナル メッセージ, 以前の返信 | 転送
ko | 원본 메시지, 원본 메일, 원본 이메일, 이전 답글, 이전 댓글 | 전달
zh | 原始邮件, 原始郵件, 原邮件, 原始信件, 邮件原件, 之前的回复, 先前的回覆, 以前的回复 | 转发, 轉發, 轉寄
";

/// What a help desk asks customers to write above.
pub(super) const REPLY_ABOVE: &[&str] = &[
    "above this line",
    "oberhalb dieser linie",
    "über dieser linie",
    "oberhalb dieser zeile",
    "über dieser zeile",
    "au-dessus de cette ligne",
    "encima de esta línea",
    "arriba de esta línea",
    "acima desta linha",
    "sopra questa riga",
    "sopra questa linea",
    "boven deze regel",
    "boven deze lijn",
    "ovanför den här raden",
    "ovanför denna rad",
    "over denne linje",
    "tämän rivin yläpuolelle",
    "powyżej tej linii",
    "nad tento řádek",
    "выше этой строки",
    "bu satırın üst",
    "この線より上",
    "この行より上",
    "在此行上方",
    "在该行上方",
];

/// What stands before the subject of a forwarded mail, without the colon.
pub(super) const FORWARD_PREFIXES: &str = "\
fwd, fw, forward, forwarded, wg, weitergeleitet, tr, tf, transf, rv, rsv, reenv, enc, encaminhada, i, inoltra, doorst, \
doorgestuurd, vb, vs, vidarebefordrat, videresend, videresendt, vl, välitetty, fs, pd, przekazane, továbbítás, \
továbbítva, redirecționat, пересл, пер, на, ilt, i̇lt, yönl, переслать, πρθ, edasi, pārs, persiųsta, prosl, posr, הועבר, \
إعادة توجيه, تحويل, chuyển tiếp, trs, ทางต่อ, 転送, 전달, 转发, 轉寄, 轉發";

/// How a program's own line begins, the kind that says from what device the mail is.
pub(super) const DEVICE_STARTS: &str = "\
sent from, sent via, sent with, sent by, sent using, sent on, from my, sent through, \
gesendet von, gesendet mit, gesendet aus, gesendet über, gesendet vom, versendet mit, verschickt mit, verschickt von, \
von meinem, vom iphone, diese nachricht wurde, diese e-mail wurde, \
envoyé de, envoyé depuis, envoyé à partir, envoyé avec, envoyé via, envoyé par, envoyé sur, envoyée de, envoyée depuis, provenance, \
enviado desde, enviado de, enviado con, enviado vía, enviado via, enviado do, enviado da, enviado a partir, enviado pelo, \
enviado com, enviado usando, enviado por, \
inviato da, inviato dal, inviato con, inviato tramite, inviato via, inviata da, \
verzonden vanaf, verzonden vanuit, verzonden met, verzonden via, verstuurd vanaf, verstuurd met, verstuurd vanuit, \
skickat från, skickat med, skickat via, skickades från, sendt fra, sendt med, sendt via, sendt med, sent frá, sent úr, \
lähetetty, lähetin, wysłane z, wysłano z, wysłano za, wysłane za, wiadomość wysłana z, odesláno z, odesláno ze, posláno z, odoslané z, \
odoslané zo, poslané z, az iphone, küldve az, trimis de, trimis din, trimis prin, изпратено от, изпратено с, отправлено с, отправлено из, \
отправлено со, отправлено через, отправлено от, надіслано з, надіслано із, надіслано через, відправлено з, poslano s, \
poslano iz, poslano z, poslato sa, poslato s, послато са, στάλθηκε από, εστάλη από, απεστάλη από, saadetud, \
nosūtīts no, sūtīts no, išsiųsta iš, išsiųsta, enviat des, enviat amb, bidalia, anfonwyd o, נשלח מ, أُرسلت من, أرسلت من, \
تم الإرسال من, مرسل من, مُرسل من, ارسال شده از, فرستاده شده از, đã gửi từ, được gửi từ, gửi từ, dikirim dari, dihantar dari, \
dikirim menggunakan, ส่งจาก, iphoneから, 发自, 發自, 从我的, 從我的, 发送自, 來自我的, 나의, 내";

/// How it ends where the verb stands last.
pub(super) const DEVICE_ENDS: &[&str] = &[
    "gesendet",
    "küldve",
    "gönderildi",
    "gönderilmiştir",
    "から送信",
    "傳送",
    "发送",
    "發送",
    "보냄",
    "보냈습니다",
    "भेजा गया",
    "bidalia",
    "from mobile",
    "via mobile",
];

/// Names of devices and mail programs, by their beginnings.
pub(super) const DEVICES: &str = "\
iphon, ipad, ipod, ios, android, blackberry, samsung, galaxy, huawei, honor, xiaomi, redmi, poco, oneplus, nokia, \
htc, motorola, sony, pixel, lumia, oppo, vivo, smartphone, phone, mobil, mobiel, handy, telefon, teléfono, téléphone, \
celular, cellulare, telemóvel, tablet, tablette, mac, macbook, apple, puhelim, puhelin, телефон, смартфон, мобиль, мобіль, айфон, \
κινητό, gsm, outlook, windows, yahoo, gmail, mailbox, airmail, proton, protonmail, thunderbird, bluemail, aqua, \
spark, superhuman, zoho, gmx, icloud, tutanota, tuta, fairemail, boxer, nine, edison, polymail, newton, \
mailspring, fastmail, mailfence, hushmail, lotus, ibm, verizon, t-mobile, sprint, sfr, yandex, яндекс, mail.ru, \
myphone, typeapp, mail app, application mail, pc, laptop, ordinateur, 手机, 手機, 携帯, 휴대";

/// What people add to such a line to excuse themselves.
pub(super) const EXCUSES: &[&str] = &[
    "excuse",
    "typo",
    "brevity",
    "pardon",
    "forgive",
    "mistake",
    "error",
    "spell",
    "brief",
    "kürze",
    "entschuld",
    "tippfehler",
    "désol",
    "faute",
    "disculp",
    "erro",
    "refus",
    "scus",
    "fouten",
];

/// Own words in “sent from my …”.
pub(super) const MY: &str = "\
my, meinem, meiner, mon, ma, mi, meu, minha, mio, mijn, min, mit, moje, mojego, mojej, mého, môjho, моего, моєго, мого, мојег, \
minu, meva, nire, mano, mana, meu, mobile, mobilen";
