//! Writes Dovecot's configuration and runs it, twice over one mail store.
//!
//! One instance checks sign-ins for Postfix and takes deliveries by LMTP, the other speaks IMAP. So
//! IMAP can be stopped while mail still arrives and goes out, as when only that part of a provider
//! is down.
//!
//! What keeps a token to its own mailbox: Dovecot 2.3.19 (Debian 12) expands `username_format` once
//! with the user named in XOAUTH2 and once with the token's `username_attribute`, and both must come
//! out the same. For a delegate a second passdb, tried for the shared mailbox alone, turns each
//! delegate's name into the mailbox's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{Daemon, ProcessId};
use super::servers::{Options, PASSWORD, answers};

/// Owns the mail. No user of the machine has this id.
const MAIL_OWNER: u32 = 5000;

/// Exchange Online's list as captured in 2026, without the private words it adds after sign-in; Dovecot
/// itself appends `AUTH=XOAUTH2 LOGINDISABLED` before sign-in.
const CAPABILITIES: &str =
    "IMAP4 IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+";

const FOLDERS: &str = r#"
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    special_use = \Drafts
    auto = subscribe
  }
  mailbox "Sent Items" {
    special_use = \Sent
    auto = subscribe
  }
  mailbox "Deleted Items" {
    special_use = \Trash
    auto = subscribe
  }
  mailbox "Junk Email" {
    special_use = \Junk
    auto = subscribe
  }
}
"#;

/// The two instances over one store.
#[derive(Debug)]
pub(crate) struct Dovecot {
    folder: PathBuf,
    imap_port: u16,
    store: Daemon,
    imap: Daemon,
}

impl Dovecot {
    /// Lays out everything below `folder`; starts nothing.
    pub(crate) fn prepare(
        folder: &Path,
        imap_port: u16,
        options: &Options,
    ) -> Result<Self, String> {
        write(folder, imap_port, options)
            .map_err(|error| format!("Cannot write Dovecot's configuration: {error}."))?;
        let daemon = |name: &str| {
            let configuration = folder.join(format!("{name}.conf"));
            let output = folder.join(format!("{name}.out"));
            let arguments = ["-F", "-c", &configuration.display().to_string()];
            Daemon::new("/usr/sbin/dovecot", &arguments, output)
        };
        Ok(Self {
            folder: folder.to_owned(),
            imap_port,
            store: daemon("store"),
            imap: daemon("imap"),
        })
    }

    /// Starts the store: LMTP and the checking of tokens.
    pub(crate) fn start_store(&mut self) -> Result<(), String> {
        let sockets = [lmtp_socket(&self.folder), auth_socket(&self.folder)];
        self.store.start(|| {
            sockets
                .iter()
                .all(|socket| UnixStream::connect(socket).is_ok())
        })
    }

    /// Starts IMAP.
    pub(crate) fn start_imap(&mut self) -> Result<(), String> {
        let port = self.imap_port;
        self.imap.start(|| answers(port))
    }

    /// Ends IMAP and every session.
    pub(crate) fn stop_imap(&mut self) {
        self.imap.stop();
    }

    /// All processes of both.
    pub(crate) fn processes(&self) -> BTreeSet<ProcessId> {
        self.store
            .processes()
            .union(&self.imap.processes())
            .copied()
            .collect()
    }
}

/// Where mail is delivered by LMTP.
pub(crate) fn lmtp_socket(folder: &Path) -> PathBuf {
    folder.join("lmtp")
}

/// Where Postfix has tokens checked.
pub(crate) fn auth_socket(folder: &Path) -> PathBuf {
    folder.join("auth")
}

/// What `doveadm` prints for these arguments, or its complaint. A delivery may make a folder in the same
/// moment, which `doveadm` takes for a failure once ("Mailbox already exists"); then it is asked again.
pub(crate) fn doveadm(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    match ask_doveadm(folder, arguments) {
        Err(complaint) if complaint.contains("already exists") => ask_doveadm(folder, arguments),
        answer => answer,
    }
}

fn ask_doveadm(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("timeout")
        .args(["60", "/usr/bin/doveadm", "-c"])
        .arg(folder.join("store.conf"))
        .args(["-f", "flow"])
        .args(arguments)
        .output()
        .map_err(|error| format!("Cannot start doveadm: {error}."))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "doveadm {}: {}",
        arguments.join(" "),
        complaint.trim()
    ))
}

fn write(folder: &Path, imap_port: u16, options: &Options) -> std::io::Result<()> {
    let keys = folder.join("keys/default/RS256");
    fs::create_dir_all(&keys)?;
    for key in &options.keys {
        fs::write(keys.join(&key.kid), &key.public_key_pem)?;
    }
    let mail = folder.join("mail");
    fs::create_dir(&mail)?;
    fs::set_permissions(&mail, Permissions::from_mode(0o700))?;
    chown(&mail, Some(MAIL_OWNER), Some(MAIL_OWNER))?;

    let users: String = options
        .users
        .iter()
        .map(|user| format!("{user}:::::::\n"))
        .collect();
    fs::write(folder.join("users"), users)?;
    let passdbs = write_passdbs(folder, options)?;
    let common = |name: &str| format!("{}{passdbs}{FOLDERS}", common(folder, name));
    fs::write(folder.join("store.conf"), common("store") + &store(folder))?;
    fs::write(
        folder.join("imap.conf"),
        common("imap") + &imap(folder, imap_port),
    )
}

/// One check for everybody's own mailbox and one more for each shared mailbox.
fn write_passdbs(folder: &Path, options: &Options) -> std::io::Result<String> {
    let mut check = format!(
        "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={}/keys/\n\
         username_attribute = preferred_username\n",
        folder.display()
    );
    if !options.issuers.is_empty() {
        let _ = writeln!(check, "issuers = {}", options.issuers.join(" "));
    }
    if let Some(audience) = &options.audience {
        let _ = writeln!(check, "active_attribute = aud\nactive_value = {audience}");
    }
    let mut shared: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (upn, mailbox) in &options.delegates {
        shared.entry(mailbox).or_default().push(upn);
    }
    let mut checks = vec![(String::new(), "%Lu".to_owned())];
    for (mailbox, upns) in shared {
        let format = upns.iter().fold("%Lu".to_owned(), |otherwise, upn| {
            format!("%{{if;%Lu;eq;{upn};{mailbox};{otherwise}}}")
        });
        checks.push((format!("  username_filter = {mailbox}\n"), format));
    }
    let mut passdbs = String::new();
    for (number, (filter, format)) in checks.iter().enumerate() {
        let file = folder.join(format!("token-{number}.conf"));
        fs::write(&file, format!("{check}username_format = {format}\n"))?;
        let _ = writeln!(
            passdbs,
            "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n{filter}  args = {}\n}}",
            file.display()
        );
    }
    if options.password {
        let _ = writeln!(
            passdbs,
            "passdb {{\n  driver = static\n  mechanisms = plain login\n  args = password={PASSWORD}\n}}\n\
             auth_mechanisms = xoauth2 plain login"
        );
    }
    Ok(passdbs)
}

/// What both instances share. The anvil socket's mode turns off the growing delay after failed
/// sign-ins, `auth_failure_delay` the constant one.
fn common(folder: &Path, name: &str) -> String {
    let folder = folder.display();
    format!(
        "base_dir = {folder}/run-{name}
state_dir = {folder}/state-{name}
instance_name = {name}
log_path = {folder}/{name}.log
auth_verbose = yes
listen = 127.0.0.1
hostname = localhost
postmaster_address = postmaster@localhost
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {MAIL_OWNER}
mail_gid = {MAIL_OWNER}
mail_location = sdbox:{folder}/mail/%u
mail_fsync = never
mail_max_userip_connections = 16
auth_mechanisms = xoauth2
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
}}
"
    )
}

/// `name+Folder@domain` is delivered into that folder of `name@domain`; Postfix files Sent copies so.
/// Postfix asks this instance, so sending is also possible with [`PASSWORD`], as with other providers' servers.
fn store(folder: &Path) -> String {
    format!(
        "auth_mechanisms = xoauth2 plain login
passdb {{
  driver = static
  mechanisms = plain login
  args = password={PASSWORD}
}}
protocols = lmtp
ssl = no
recipient_delimiter = +
lmtp_save_to_detail_mailbox = yes
lmtp_add_received_header = no
lmtp_hdr_delivery_address = none
service lmtp {{
  unix_listener {} {{
    mode = 0666
  }}
}}
service auth {{
  unix_listener {} {{
    mode = 0666
  }}
}}
",
        lmtp_socket(folder).display(),
        auth_socket(folder).display()
    )
}

fn imap(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "protocols = imap
ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <{folder}/tls/certificate.pem
ssl_key = <{folder}/tls/key.pem
imap_capability = {CAPABILITIES}
service imap-login {{
  service_count = 0
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"
    )
}
