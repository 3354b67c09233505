//! What people put together for the same end: mbsync copies a mailbox into a Maildir, notmuch indexes it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::rival::Rival;
use crate::interop::servers::PASSWORD;

/// Both programs, as Debian installs them.
const PROGRAMS: [(&str, &str); 2] = [
    ("/usr/bin/mbsync", "isync"),
    ("/usr/bin/notmuch", "notmuch"),
];

/// What a run of a program took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken {
    pub(crate) time: Duration,
    pub(crate) processor: Duration,
    pub(crate) peak_bytes: u64,
}

impl Taken {
    /// From what a rival says of itself.
    pub(crate) fn told(answer: &Value) -> Self {
        let seconds = |name: &str| Duration::from_secs_f64(answer[name].as_f64().unwrap());
        Self {
            time: seconds("seconds"),
            processor: seconds("processor_seconds"),
            peak_bytes: answer["peak_bytes"].as_u64().unwrap(),
        }
    }

    /// One after the other.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            time: self.time + next.time,
            processor: self.processor + next.processor,
            peak_bytes: self.peak_bytes.max(next.peak_bytes),
        }
    }
}

/// Runs a program to its end.
pub(crate) fn run(command: &Command) -> Taken {
    let text = |part: &OsStr| part.to_str().unwrap().to_owned();
    let words: Vec<String> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(text)
        .collect();
    let environment: BTreeMap<String, String> = command
        .get_envs()
        .filter_map(|(name, value)| Some((text(name), text(value?))))
        .collect();
    let given = json!({ "command": words, "environment": environment });
    let answer: Value = serde_json::from_str(&Rival::start("command", &given).line()).unwrap();
    assert_eq!(answer["status"], 0, "{words:?}: {}", answer["complaint"]);
    Taken::told(&answer)
}

/// A Maildir with its index.
pub(crate) struct Archive {
    folder: tempfile::TempDir,
}

impl Archive {
    /// One for a mailbox of a server; or a sentence that says what is not installed.
    pub(crate) fn prepare(imap_port: u16, address: &str, ca_file: &str) -> Result<Self, String> {
        for (program, package) in PROGRAMS {
            if !Path::new(program).exists() {
                return Err(format!(
                    "mbsync and notmuch were not measured: {program} is missing (apt-get install {package})."
                ));
            }
        }
        let archive = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let mail = archive.mail();
        std::fs::create_dir(&mail).unwrap();
        let mail = mail.display();
        let mbsync = format!(
            "IMAPAccount server\nHost localhost\nPort {imap_port}\nUser {address}\nPass {PASSWORD}\n\
             SSLType IMAPS\nCertificateFile {ca_file}\nAuthMechs LOGIN\n\n\
             IMAPStore far\nAccount server\n\nMaildirStore near\nPath {mail}/\nInbox {mail}/INBOX\n\n\
             Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n"
        );
        std::fs::write(archive.file("mbsyncrc"), mbsync).unwrap();
        let notmuch = format!(
            "[database]\npath={mail}\n[user]\nname=Desk\nprimary_email={address}\n[new]\ntags=new\n\
             [maildir]\nsynchronize_flags=false\n"
        );
        std::fs::write(archive.file("notmuch"), notmuch).unwrap();
        Ok(archive)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn mail(&self) -> PathBuf {
        self.file("mail")
    }

    /// `mbsync`: all that is new on the server.
    pub(crate) fn copy(&self) -> Taken {
        let configuration = self.file("mbsyncrc").display().to_string();
        run(Command::new("/usr/bin/mbsync").args(["-c", &configuration, "all"]))
    }

    /// `notmuch new`: all that is new in the Maildir.
    pub(crate) fn index(&self) -> Taken {
        let mut command = Command::new("/usr/bin/notmuch");
        run(command
            .args(["new", "--quiet"])
            .env("NOTMUCH_CONFIG", self.file("notmuch")))
    }

    /// How many messages were copied.
    pub(crate) fn messages(&self) -> usize {
        let inbox = self.mail().join("INBOX");
        let count = |name: &str| std::fs::read_dir(inbox.join(name)).unwrap().count();
        count("cur") + count("new")
    }

    /// What it takes on the disk: Maildir and index.
    pub(crate) fn disk_bytes(&self) -> (u64, u64) {
        let index = disk_bytes(&self.mail().join(".notmuch"));
        (disk_bytes(&self.mail()) - index, index)
    }
}

/// What a folder or file takes on the disk, in whole blocks.
pub(crate) fn disk_bytes(path: &Path) -> u64 {
    let found = std::fs::symlink_metadata(path).unwrap();
    // st_blocks counts 512 bytes whatever the file system (stat(2)).
    let mut bytes = found.blocks() * 512;
    if found.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            bytes += disk_bytes(&entry.unwrap().path());
        }
    }
    bytes
}
