//! Files that can do harm when they are opened, told by their names: it is the name that decides which
//! program opens a file.

use super::{Finding, Severity};

/// Run as programs or scripts, or start others. After the lists of types that Outlook and Gmail block.
const PROGRAMS: [&str; 74] = [
    "ade",
    "adp",
    "apk",
    "app",
    "appinstaller",
    "application",
    "appref-ms",
    "appx",
    "bat",
    "bgi",
    "chm",
    "cmd",
    "com",
    "command",
    "cpl",
    "deb",
    "desktop",
    "diagcab",
    "dll",
    "elf",
    "exe",
    "gadget",
    "hlp",
    "hta",
    "htc",
    "inf",
    "ins",
    "iqy",
    "jar",
    "jnlp",
    "js",
    "jse",
    "library-ms",
    "lnk",
    "mde",
    "msc",
    "msi",
    "msix",
    "msp",
    "mst",
    "one",
    "osd",
    "pif",
    "pkg",
    "pl",
    "ps1",
    "psc1",
    "psd1",
    "psm1",
    "py",
    "pyc",
    "pyw",
    "pyz",
    "rdp",
    "reg",
    "rpm",
    "run",
    "scf",
    "scr",
    "sct",
    "search-ms",
    "settingcontent-ms",
    "sh",
    "slk",
    "sys",
    "theme",
    "url",
    "vb",
    "vbe",
    "vbs",
    "wsc",
    "wsf",
    "wsh",
    "xll",
];
/// Office documents with macros.
const MACROS: [&str; 14] = [
    "docm", "dotm", "potm", "ppam", "ppsm", "pptm", "sldm", "wll", "xla", "xlam", "xlm", "xlsb",
    "xlsm", "xltm",
];
/// Open in the browser as pages of their own, which may ask for a password.
const PAGES: [&str; 10] = [
    "htm", "html", "mht", "mhtml", "shtm", "shtml", "svg", "svgz", "xht", "xhtml",
];
/// Opened like a disk; what lies in them escapes the warnings of the system.
const DISKS: [&str; 7] = ["daa", "dmg", "img", "iso", "udf", "vhd", "vhdx"];
/// Packed files.
const ARCHIVES: [&str; 14] = [
    "7z", "ace", "alz", "arj", "bz2", "cab", "gz", "lha", "lzh", "rar", "tar", "xz", "zip", "zipx",
];
/// What a file pretends to be.
const HARMLESS: [&str; 20] = [
    "bmp", "csv", "doc", "docx", "gif", "jpeg", "jpg", "mp3", "mp4", "odt", "pdf", "png", "ppt",
    "pptx", "rtf", "tif", "txt", "wav", "xls", "xlsx",
];
/// Words in names of archives that a filter could not look into.
const LOCKED: [&str; 12] = [
    "contraseña",
    "encrypted",
    "haslo",
    "kennwort",
    "locked",
    "motdepasse",
    "parola",
    "passwd",
    "passcode",
    "password",
    "passwort",
    "wachtwoord",
];

/// How a file can do harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// Its name pretends to be a document, but it is a program.
    Disguised,
    /// It is a program, or starts one.
    Program,
    /// A document with macros.
    Macros,
    /// A page that opens in the browser.
    Page,
    /// A disk image.
    Disk,
    /// An archive that no filter can look into.
    Locked,
}

/// Tells whether a file of this name and declared type can do harm.
#[must_use]
pub fn risk(filename: &str, content_type: &str) -> Option<Risk> {
    let lower = filename.to_lowercase();
    let mut pieces = lower.rsplit('.').map(str::trim);
    let ending = pieces.next().unwrap_or_default();
    let before = pieces.next().unwrap_or_default();
    let has_ending = lower.contains('.');
    let program = (has_ending && PROGRAMS.contains(&ending)) || is_program_type(content_type);
    let page = PAGES.contains(&ending) && has_ending;
    let disk = DISKS.contains(&ending) && has_ending;
    // `invoice.pdf.exe`, and `invoice.pdf      .exe` whose end no list shows.
    let disguised = HARMLESS.contains(&before) && has_ending;
    let spaces = lower.contains("     ");
    match () {
        () if (program || disk || page) && (disguised || spaces) => Some(Risk::Disguised),
        () if program => Some(Risk::Program),
        () if MACROS.contains(&ending) && has_ending => Some(Risk::Macros),
        () if page => Some(Risk::Page),
        () if disk => Some(Risk::Disk),
        () if ARCHIVES.contains(&ending) && LOCKED.iter().any(|word| lower.contains(word)) => {
            Some(Risk::Locked)
        }
        () => None,
    }
}

fn is_program_type(content_type: &str) -> bool {
    matches!(
        content_type,
        "application/x-msdownload"
            | "application/x-msdos-program"
            | "application/x-dosexec"
            | "application/vnd.microsoft.portable-executable"
            | "application/x-ms-installer"
            | "application/hta"
            | "application/x-sh"
            | "application/java-archive"
    )
}

impl Risk {
    /// What to tell before such a file is saved.
    #[must_use]
    pub fn finding(self) -> Finding {
        let (severity, what, meaning, advice) = match self {
            Self::Disguised => (
                Severity::Danger,
                "Disguised file",
                "Its name looks like a document, but opening it would run a program or open a page.",
                "Do not open it. Honest senders have no reason to name a file so.",
            ),
            Self::Program => (
                Severity::Danger,
                "Program",
                "Opening this file can run a program on your computer.",
                "Open it only if you asked for it and know who made it.",
            ),
            Self::Macros => (
                Severity::Warn,
                "Document with macros",
                "Macros are programs; they run when the document is opened and allowed to.",
                "Open it in protected view, and do not enable its content unless you expected it.",
            ),
            Self::Page => (
                Severity::Warn,
                "Web page",
                "It opens in the browser and can show a false sign-in page.",
                "Enter no password in it. Ask the sender for a PDF instead.",
            ),
            Self::Disk => (
                Severity::Danger,
                "Disk image",
                "It opens like a disk. Programs in it escape the warnings of the system.",
                "Open it only if you asked for it and know who made it.",
            ),
            Self::Locked => (
                Severity::Warn,
                "Archive with a password",
                "No filter could look into it, which is also why harmful files are sent so.",
                "Open it only if you expected it.",
            ),
        };
        Finding::new(severity, what, meaning, advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_last_ending() {
        for (name, expected) in [
            ("Invoice.pdf", None),
            ("photo.JPG", None),
            ("readme", None),
            ("com", None),
            ("setup.EXE", Some(Risk::Program)),
            ("note.js", Some(Risk::Program)),
            ("invoice.pdf.exe", Some(Risk::Disguised)),
            ("invoice.pdf            .scr", Some(Risk::Disguised)),
            ("scan.pdf.html", Some(Risk::Disguised)),
            ("prices.xlsm", Some(Risk::Macros)),
            ("prices.xlsx", None),
            ("voicemail.htm", Some(Risk::Page)),
            ("drawing.svg", Some(Risk::Page)),
            ("backup.iso", Some(Risk::Disk)),
            ("files.zip", None),
            ("files (Password 1234).zip", Some(Risk::Locked)),
            ("archive.tar.gz", None),
        ] {
            assert_eq!(risk(name, "application/octet-stream"), expected, "{name}");
        }
        assert_eq!(
            risk("report", "application/x-msdownload"),
            Some(Risk::Program)
        );
    }
}
