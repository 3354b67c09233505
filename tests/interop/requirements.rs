//! Says in one sentence what the machine lacks to run the real servers.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Programs that must be there, each with the Debian package that brings it.
const PROGRAMS: [(&str, &str); 5] = [
    ("/usr/sbin/dovecot", "dovecot-core"),
    ("/usr/lib/dovecot/imap", "dovecot-imapd"),
    ("/usr/lib/dovecot/lmtp", "dovecot-lmtpd"),
    ("/usr/lib/postfix/sbin/master", "postfix"),
    ("/usr/lib/postfix/sbin/lmtp", "postfix"),
];

/// Numeric ids the packages created.
pub(crate) struct Owners {
    /// The user Postfix works as.
    pub(crate) postfix_uid: u32,
    /// The group of Postfix's two public folders.
    pub(crate) postdrop_gid: u32,
}

/// Checks that the packages are installed and that we are root; the error is for a person.
pub(crate) fn check() -> Result<Owners, String> {
    missing(&PROGRAMS)?;
    let uid = std::fs::metadata("/proc/self")
        .map_err(|error| format!("Cannot see who runs the tests: /proc/self: {error}."))?
        .uid();
    not_root(uid)?;
    Ok(Owners {
        postfix_uid: numeric_id("/etc/passwd", "postfix")?,
        postdrop_gid: numeric_id("/etc/group", "postdrop")?,
    })
}

/// An error that names the first missing program and the packages to install.
pub(crate) fn missing(programs: &[(&str, &str)]) -> Result<(), String> {
    for (program, package) in programs {
        if !Path::new(program).exists() {
            return Err(format!(
                "The tests with real mail servers need {program} from the package {package}, which is not \
                 installed: apt-get install --no-install-recommends dovecot-core dovecot-imapd \
                 dovecot-lmtpd postfix"
            ));
        }
    }
    Ok(())
}

/// An error when `uid` is not root's.
pub(crate) fn not_root(uid: u32) -> Result<(), String> {
    if uid == 0 {
        return Ok(());
    }
    Err(format!(
        "The tests with real mail servers must run as root, for Dovecot and Postfix drop their rights \
         themselves, but they run as user {uid}: run them with sudo or in a container."
    ))
}

/// The third field of `name`'s line in `file` (passwd(5), group(5)).
fn numeric_id(file: &str, name: &str) -> Result<u32, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    text.lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))
        .and_then(|fields| fields.get(2)?.parse().ok())
        .ok_or_else(|| {
            format!(
                "{file} does not know {name}: install the package postfix again, it creates it."
            )
        })
}
