//! What a test uses: real servers on loopback for the length of one test.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

use super::client::Client;
use super::dovecot::{self, Dovecot, doveadm};
use super::ports::Port;
use super::postfix::Postfix;
use super::process::{ProcessId, Watchdog};
use super::requirements;

/// A key that signs access tokens.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// The `kid` header of its tokens.
    pub(crate) kid: String,
    /// Its public half as PEM; RS256.
    pub(crate) public_key_pem: String,
}

/// Everybody's password: for sending, and where [`Options::password`] says so for IMAP.
pub(crate) const PASSWORD: &str = "not-a-secret";

/// What the servers know. Addresses are taken in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Keys whose tokens are believed.
    pub(crate) keys: Vec<Key>,
    /// Values of `iss` that are believed; empty: any.
    pub(crate) issuers: Vec<String>,
    /// The `aud` a token must have; none: not looked at.
    pub(crate) audience: Option<String>,
    /// Full addresses of the mailboxes, of one or more domains.
    pub(crate) users: Vec<String>,
    /// `(upn, mailbox)`: this person's token opens, and sends as, that mailbox too.
    pub(crate) delegates: Vec<(String, String)>,
    /// Everybody may sign in to IMAP with [`PASSWORD`] too, for programs that know no tokens.
    pub(crate) password: bool,
    /// Limits on submission; none: unlimited.
    pub(crate) limits: Option<Limits>,
}

/// Limits on submission, counted for each client address.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Simultaneous connections; one more gets `421 4.7.0`.
    pub(crate) connections: u32,
    /// Messages a minute; one more gets `450 4.7.1` after MAIL.
    pub(crate) messages_per_minute: u32,
}

impl Default for Limits {
    /// Exchange Online's.
    fn default() -> Self {
        Self {
            connections: 3,
            messages_per_minute: 30,
        }
    }
}

/// Dovecot and Postfix. Dropping it stops both and removes all they wrote.
#[derive(Debug)]
pub(crate) struct Servers {
    // Dropped in this order: Postfix ends, then Dovecot, whose checking of sign-ins waits for Postfix
    // to hang up; the watchdog is told, the folder goes, the ports are given back.
    postfix: Mutex<Postfix>,
    dovecot: Mutex<Dovecot>,
    watchdog: Watchdog,
    folder: TempDir,
    ca_pem: String,
    imap: Port,
    smtp: Port,
}

impl Servers {
    /// Starts both; the error says what is missing or what the servers complain about.
    pub(crate) fn start(options: Options) -> Result<Self, String> {
        let owners = requirements::check()?;
        let options = checked(options)?;
        let folder = tempfile::Builder::new()
            .prefix("mail-servers-")
            .tempdir()
            .and_then(|folder| {
                // Dovecot's and Postfix's own users must get through.
                fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
                Ok(folder)
            })
            .map_err(|error| format!("Cannot make a folder for the servers: {error}."))?;
        let ca_pem = write_certificates(&folder.path().join("tls"))?;
        let (imap, smtp) = (Port::claim()?, Port::claim()?);
        let dovecot = Dovecot::prepare(folder.path(), imap.number(), &options)?;
        let postfix = Postfix::prepare(folder.path(), smtp.number(), &options, &owners)?;
        let servers = Self {
            watchdog: Watchdog::start(folder.path())?,
            dovecot: Mutex::new(dovecot),
            postfix: Mutex::new(postfix),
            folder,
            ca_pem,
            imap,
            smtp,
        };
        let start = || {
            servers.dovecot().start_store()?;
            servers.dovecot().start_imap()?;
            servers.postfix().start()
        };
        start().map_err(|error| format!("{error} They say:\n{}", servers.log()))?;
        Ok(servers)
    }

    /// Believes these keys from now on, besides those it knows.
    pub(crate) fn believe(&self, keys: impl Iterator<Item = Key>) {
        let folder = self.folder.path().join("keys/default/RS256");
        for key in keys {
            fs::write(folder.join(&key.kid), &key.public_key_pem).unwrap();
        }
    }

    /// IMAP on 127.0.0.1 with implicit TLS, for the name `localhost`.
    pub(crate) fn imap_port(&self) -> u16 {
        self.imap.number()
    }

    /// Submission on 127.0.0.1; STARTTLS, for the name `localhost`, comes before AUTH.
    pub(crate) fn smtp_port(&self) -> u16 {
        self.smtp.number()
    }

    /// The root that signed both servers' certificate.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Puts one message, lines ended by CRLF, into the INBOX of `address` as if it came from outside.
    ///
    /// The envelope sender is that of a leading `Return-Path` line, else the address in `From`.
    pub(crate) fn deliver(&self, address: &str, raw: &[u8]) {
        self.deliver_many(address, std::iter::once(raw.to_vec()));
    }

    /// Delivers one message after the other over one connection.
    pub(crate) fn deliver_many(&self, address: &str, messages: impl Iterator<Item = Vec<u8>>) {
        let mut lmtp = Client::unix(&dovecot::lmtp_socket(self.folder.path())).unwrap();
        assert_eq!(lmtp.reply().code, 220);
        lmtp.send("LHLO outside.test");
        assert_eq!(lmtp.reply().code, 250);
        for raw in messages {
            let (sender, raw) = envelope_sender(&raw);
            lmtp.send(&format!(
                "MAIL FROM:<{sender}>\r\nRCPT TO:<{address}>\r\nDATA"
            ));
            for expected in [250, 250, 354] {
                let reply = lmtp.reply();
                assert_eq!(reply.code, expected, "{address}: {}", reply.text);
            }
            lmtp.send_data(raw);
            let reply = lmtp.reply();
            assert_eq!(reply.code, 250, "{address}: {}", reply.text);
        }
        lmtp.send("QUIT");
    }

    /// How many messages are in `folder` of `address`.
    pub(crate) fn count(&self, address: &str, folder: &str) -> usize {
        let arguments = ["mailbox", "status", "-u", address, "messages", folder];
        let output = doveadm(self.folder.path(), &arguments).unwrap();
        let output = String::from_utf8(output).unwrap();
        let number = output
            .rsplit_once("messages=")
            .and_then(|(_, rest)| rest.trim().parse().ok());
        number
            .unwrap_or_else(|| panic!("doveadm knows no folder {folder} of {address}: {output:?}"))
    }

    /// The messages in `folder` of `address` in the order of their UIDs, as IMAP gives them.
    pub(crate) fn messages(&self, address: &str, folder: &str) -> Vec<Vec<u8>> {
        let fields = "size.physical text";
        let arguments = ["fetch", "-u", address, fields, "mailbox", folder, "all"];
        let output = doveadm(self.folder.path(), &arguments).unwrap();
        let mut rest = output.as_slice();
        let mut messages = Vec::new();
        // Each is `size.physical=N text=`, N bytes with lines ended by LF as stored, LF.
        while let Some(record) = rest.strip_prefix(b"size.physical=") {
            let space = record.iter().position(|&byte| byte == b' ').unwrap();
            let length: usize = str::from_utf8(&record[..space]).unwrap().parse().unwrap();
            let text = record[space..].strip_prefix(b" text=").unwrap();
            messages.push(with_crlf(&text[..length]));
            rest = text[length..].strip_prefix(b"\n").unwrap();
        }
        assert!(
            rest.is_empty(),
            "doveadm printed something else: {:?}",
            rest.escape_ascii()
        );
        messages
    }

    /// The flags of the messages in `folder` of `address`, in the order of their UIDs.
    pub(crate) fn flags(&self, address: &str, folder: &str) -> Vec<String> {
        let arguments = ["fetch", "-u", address, "flags", "mailbox", folder, "all"];
        let output = doveadm(self.folder.path(), &arguments).unwrap();
        let output = String::from_utf8(output).unwrap();
        let lines = output
            .lines()
            .filter_map(|line| line.strip_prefix("flags="));
        // Which session saw a message first is of no interest.
        let own = |flags: &str| flags.replace("\\Recent", "").trim().to_owned();
        lines.map(own).collect()
    }

    /// Sets flags of all messages in `folder` of `address`, as another program would.
    pub(crate) fn add_flags(&self, address: &str, folder: &str, flags: &str) {
        let arguments = [
            "flags", "add", "-u", address, flags, "mailbox", folder, "all",
        ];
        doveadm(self.folder.path(), &arguments).unwrap();
    }

    /// Makes, removes or renames folders of `address`: `doveadm mailbox` with these arguments.
    pub(crate) fn change_folders(&self, address: &str, act: &str, names: &[&str]) {
        let mut arguments = vec!["mailbox", act, "-u", address];
        arguments.extend(names);
        doveadm(self.folder.path(), &arguments).unwrap();
    }

    /// Moves all messages of one folder of `address` into another.
    pub(crate) fn move_all(&self, address: &str, from: &str, to: &str) {
        let arguments = ["move", "-u", address, to, "mailbox", from, "all"];
        doveadm(self.folder.path(), &arguments).unwrap();
    }

    /// Stops IMAP and cuts its sessions. Mail still arrives and can be sent.
    pub(crate) fn stop_imap(&self) {
        self.dovecot().stop_imap();
    }

    /// Starts IMAP again on the same port.
    pub(crate) fn start_imap(&self) {
        self.dovecot().start_imap().unwrap();
    }

    /// Stops submission and cuts its sessions.
    pub(crate) fn stop_smtp(&self) {
        self.postfix().stop();
    }

    /// Starts submission again on the same port.
    pub(crate) fn start_smtp(&self) {
        self.postfix().start().unwrap();
    }

    /// Every process that runs for these servers.
    pub(crate) fn processes(&self) -> BTreeSet<ProcessId> {
        let mut processes = self.dovecot().processes();
        processes.extend(self.postfix().processes());
        processes.extend(self.watchdog.process());
        processes
    }

    /// The folder that holds all their files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the servers logged so far, for a failing test.
    pub(crate) fn log(&self) -> String {
        let files = [
            "store.out",
            "store.log",
            "imap.out",
            "imap.log",
            "postfix.out",
            "postfix.log",
        ];
        let texts = files.iter().filter_map(|file| {
            let text = fs::read(self.folder.path().join(file)).ok()?;
            Some(format!("== {file}\n{}", String::from_utf8_lossy(&text)))
        });
        texts.collect()
    }

    fn dovecot(&self) -> MutexGuard<'_, Dovecot> {
        self.dovecot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn postfix(&self) -> MutexGuard<'_, Postfix> {
        self.postfix.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody listens on this port.
pub(crate) fn answers(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

/// Lower-case addresses, and nothing that would break out of the configuration files.
fn checked(mut options: Options) -> Result<Options, String> {
    let plain = |text: &str, also: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || also.contains(letter))
    };
    for key in &options.keys {
        if !plain(&key.kid, "-_=") {
            return Err(format!("The key id {:?} cannot be a file name.", key.kid));
        }
    }
    let delegates = options
        .delegates
        .iter_mut()
        .flat_map(|(upn, mailbox)| [upn, mailbox]);
    for address in options.users.iter_mut().chain(delegates) {
        address.make_ascii_lowercase();
        if !plain(address, ".-_@#") || !address.contains('@') {
            return Err(format!(
                "{address:?} is not an address these servers can take."
            ));
        }
    }
    Ok(options)
}

/// Writes `certificate.pem` and `key.pem` for `localhost` into `folder`; returns their root.
fn write_certificates(folder: &Path) -> Result<String, String> {
    let make = || -> Result<(String, String, String), rcgen::Error> {
        let mut root = CertificateParams::new(Vec::new())?;
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        root.distinguished_name
            .push(DnType::CommonName, "Root of the test servers");
        let root_key = KeyPair::generate()?;
        let ca_pem = root.self_signed(&root_key)?.pem();
        let key = KeyPair::generate()?;
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let certificate =
            CertificateParams::new(names)?.signed_by(&key, &Issuer::new(root, root_key))?;
        Ok((ca_pem, certificate.pem(), key.serialize_pem()))
    };
    let (ca_pem, certificate, key) =
        make().map_err(|error| format!("Cannot make a certificate: {error}."))?;
    fs::create_dir(folder)
        .and_then(|()| fs::write(folder.join("certificate.pem"), certificate))
        .and_then(|()| fs::write(folder.join("key.pem"), key))
        .map_err(|error| format!("Cannot write a certificate: {error}."))?;
    Ok(ca_pem)
}

/// The envelope sender of `raw`, and `raw` without the `Return-Path` line it may begin with, which the
/// delivering server writes itself (RFC 5321 section 4.4).
fn envelope_sender(raw: &[u8]) -> (String, &[u8]) {
    let line = raw
        .split_inclusive(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let text = String::from_utf8_lossy(line).to_ascii_lowercase();
    if let Some(path) = text.strip_prefix("return-path:") {
        let address = path.trim().trim_matches(['<', '>']);
        return (address.to_owned(), &raw[line.len()..]);
    }
    let message = mail_parser::MessageParser::default().parse_headers(raw);
    let sender = message
        .as_ref()
        .and_then(|message| message.from()?.first()?.address());
    (sender.unwrap_or_default().to_owned(), raw)
}

/// Lines end with CRLF on the wire.
fn with_crlf(stored: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(stored.len() + stored.len() / 30);
    for line in stored.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                wire.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                wire.extend_from_slice(b"\r\n");
            }
            None => wire.extend_from_slice(line),
        }
    }
    wire
}
