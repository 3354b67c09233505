//! Writes Postfix's configuration and runs it for submission.
//!
//! Mail for the domains of the test's users goes into Dovecot by LMTP, everything else is refused, so
//! nothing leaves the machine. A copy of each accepted message is filed in the sender's Sent Items, as
//! Exchange Online does for SMTP submissions: Postfix adds the address `name+Sent Items@domain` as a
//! blind recipient and Dovecot delivers that into the folder.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::dovecot;
use super::process::{Daemon, ProcessId};
use super::requirements::Owners;
use super::servers::{Options, answers};

/// The queue's folders (postfix-files(5)) with their modes. Postfix owns all but the last.
const QUEUE: [(&str, u32); 14] = [
    ("active", 0o700),
    ("bounce", 0o700),
    ("corrupt", 0o700),
    ("defer", 0o700),
    ("deferred", 0o700),
    ("flush", 0o700),
    ("hold", 0o700),
    ("incoming", 0o700),
    ("maildrop", 0o730),
    ("private", 0o700),
    ("public", 0o710),
    ("saved", 0o700),
    ("trace", 0o700),
    ("pid", 0o755),
];

/// Without `pickup` and `sendmail`: mail comes in by SMTP only.
const SERVICES: &str = "cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

/// Postfix, running or not.
#[derive(Debug)]
pub(crate) struct Postfix {
    port: u16,
    pid_file: PathBuf,
    master: Daemon,
}

impl Postfix {
    /// Lays out everything below `folder`; starts nothing.
    pub(crate) fn prepare(
        folder: &Path,
        port: u16,
        options: &Options,
        owners: &Owners,
    ) -> Result<Self, String> {
        write(folder, port, options, owners)
            .map_err(|error| format!("Cannot write Postfix's configuration: {error}."))?;
        let configuration = folder.join("postfix").display().to_string();
        let master = Daemon::new(
            "/usr/lib/postfix/sbin/master",
            &["-c", &configuration, "-s"],
            folder.join("postfix.out"),
        );
        Ok(Self {
            port,
            pid_file: folder.join("queue/pid/master.pid"),
            master,
        })
    }

    /// Starts it.
    pub(crate) fn start(&mut self) -> Result<(), String> {
        let port = self.port;
        self.master.start(|| answers(port))
    }

    /// Ends it and every session. Mail still queued is delivered after the next start.
    pub(crate) fn stop(&mut self) {
        self.master.stop();
        let _ = fs::remove_file(&self.pid_file);
    }

    /// All its processes.
    pub(crate) fn processes(&self) -> BTreeSet<ProcessId> {
        self.master.processes()
    }
}

fn write(folder: &Path, port: u16, options: &Options, owners: &Owners) -> io::Result<()> {
    let queue = folder.join("queue");
    fs::create_dir(&queue)?;
    for (name, mode) in QUEUE {
        let path = queue.join(name);
        fs::create_dir(&path)?;
        let group = matches!(name, "maildrop" | "public").then_some(owners.postdrop_gid);
        let owner = (name != "pid").then_some(owners.postfix_uid);
        chown(&path, owner, group)?;
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
    }
    let data = folder.join("postfix-data");
    fs::create_dir(&data)?;
    chown(&data, Some(owners.postfix_uid), None)?;

    let configuration = folder.join("postfix");
    fs::create_dir(&configuration)?;
    fs::write(configuration.join("main.cf"), main_cf(folder, options))?;
    let submission = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
    fs::write(configuration.join("master.cf"), submission + SERVICES)?;

    let mut sent = String::new();
    let mut senders = String::new();
    for user in &options.users {
        if let Some((name, domain)) = user.rsplit_once('@') {
            let _ = writeln!(sent, "{user} {name}+Sent Items@{domain}");
        }
        // Whoever may open a shared mailbox may send as it too.
        let delegates = options
            .delegates
            .iter()
            .filter(|(_, mailbox)| mailbox == user);
        let owners: Vec<&str> = delegates.map(|(upn, _)| upn.as_str()).collect();
        let _ = writeln!(senders, "{user} {user} {}", owners.join(" "));
    }
    fs::write(configuration.join("sent"), sent)?;
    fs::write(configuration.join("senders"), senders)?;
    for file in ["main.cf", "master.cf", "sent", "senders"] {
        look_old(&configuration.join(file))?;
    }
    Ok(())
}

/// Sets a file's time back: Postfix reads a file that changed within the last second again and again
/// until it is older, which would make each of its processes a second late.
fn look_old(file: &Path) -> io::Result<()> {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options()
        .write(true)
        .open(file)?
        .set_modified(long_ago)
}

/// - `line_length_limit`: Postfix takes an initial response no longer than this (RFC 4954 section 4
///   asks for 12288), while Microsoft's tokens make it 2 to 4 kB and Exchange takes it in one line.
/// - `in_flow_delay` and `smtpd_error_sleep_time` are pauses that only make tests slow.
/// - anvil counts for each client address. Exchange counts for each mailbox, which is the same as
///   long as one mailbox sends from this machine.
fn main_cf(folder: &Path, options: &Options) -> String {
    let domains: BTreeSet<&str> = options
        .users
        .iter()
        .filter_map(|user| Some(user.rsplit_once('@')?.1))
        .collect();
    let domains = domains.into_iter().collect::<Vec<_>>().join(" ");
    let (connections, messages) = options.limits.as_ref().map_or((0, 0), |limits| {
        (limits.connections, limits.messages_per_minute)
    });
    let lmtp = dovecot::lmtp_socket(folder);
    let auth = dovecot::auth_socket(folder);
    let (lmtp, auth, folder) = (lmtp.display(), auth.display(), folder.display());
    format!(
        "compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/postfix-data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = smtp.localhost
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {domains}
virtual_mailbox_maps =
virtual_alias_maps =
virtual_transport = lmtp:unix:{lmtp}
local_transport = error:5.1.1 Nobody has a mailbox at this host
relay_transport = error:5.4.1 Mail does not leave this machine
default_transport = error:5.4.1 Mail does not leave this machine
sender_bcc_maps = texthash:{folder}/postfix/sent
smtpd_sender_login_maps = texthash:{folder}/postfix/senders
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {folder}/tls/key.pem, {folder}/tls/certificate.pem
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_client_event_limit_exceptions =
smtpd_client_connection_count_limit = {connections}
smtpd_client_message_rate_limit = {messages}
message_size_limit = 37748736
mailbox_size_limit = 0
virtual_mailbox_limit = 0
line_length_limit = 16384
in_flow_delay = 0
queue_run_delay = 5s
minimal_backoff_time = 5s
biff = no
append_dot_mydomain = no
"
    )
}
