//! In charge of the folders every Exchange mailbox is born with, and their names by language.

use super::AccountKind;

/// The language a mailbox was first opened in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Dutch.
    Nl,
    /// Polish.
    Pl,
    /// Turkish.
    Tr,
    /// Japanese.
    Ja,
}

/// What a folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Where mail arrives.
    Inbox,
    /// Copies of what was sent.
    Sent,
    /// Unfinished mail.
    Drafts,
    /// The bin.
    Deleted,
    /// Junk.
    Junk,
    /// The archive.
    Archive,
    /// Mail on its way out.
    Outbox,
    /// Saved chats; work accounts only.
    ConversationHistory,
    /// Notes; shown in LIST although it holds no mail.
    Notes,
    /// Calendar; holds no mail.
    Calendar,
    /// Contacts; holds no mail.
    Contacts,
    /// Tasks; holds no mail.
    Tasks,
    /// Journal; holds no mail, work accounts only.
    Journal,
    /// Made by a user.
    Own,
}

/// The well-known folders besides INBOX, in the order of the name tables below.
const ROLES: [Role; 12] = [
    Role::Sent,
    Role::Drafts,
    Role::Deleted,
    Role::Junk,
    Role::Archive,
    Role::Outbox,
    Role::ConversationHistory,
    Role::Notes,
    Role::Calendar,
    Role::Contacts,
    Role::Tasks,
    Role::Journal,
];

impl Role {
    /// The attribute LIST shows for this folder where Exchange shows any.
    #[must_use]
    pub fn list_flag(self) -> Option<&'static str> {
        match self {
            Self::Sent => Some("\\Sent"),
            Self::Drafts => Some("\\Drafts"),
            Self::Deleted => Some("\\Trash"),
            Self::Junk => Some("\\Junk"),
            _ => None,
        }
    }
}

/// The folders of a new mailbox with their names, INBOX first.
pub(super) fn names(kind: AccountKind, language: Language) -> Vec<(Role, &'static str)> {
    let personal = kind == AccountKind::Personal;
    let table = if personal && language == Language::En {
        &PERSONAL
    } else {
        work(language)
    };
    let mut folders = vec![(Role::Inbox, "INBOX")];
    folders.extend(
        ROLES
            .iter()
            .copied()
            .zip(table.iter().copied())
            .filter(|(role, _)| {
                !(personal && matches!(role, Role::ConversationHistory | Role::Journal))
            }),
    );
    folders
}

/// English names of an Outlook.com mailbox.
const PERSONAL: [&str; 12] = [
    "Sent",
    "Drafts",
    "Deleted",
    "Junk",
    "Archive",
    "Outbox",
    "Conversation History",
    "Notes",
    "Calendar",
    "Contacts",
    "Tasks",
    "Journal",
];

#[rustfmt::skip]
fn work(language: Language) -> &'static [&'static str; 12] {
    match language {
        Language::En => &["Sent Items", "Drafts", "Deleted Items", "Junk Email", "Archive", "Outbox",
            "Conversation History", "Notes", "Calendar", "Contacts", "Tasks", "Journal"],
        Language::De => &["Gesendete Elemente", "Entwürfe", "Gelöschte Elemente", "Junk-E-Mail", "Archiv",
            "Postausgang", "Aufgezeichnete Unterhaltungen", "Notizen", "Kalender", "Kontakte", "Aufgaben",
            "Journal"],
        Language::Fr => &["Éléments envoyés", "Brouillons", "Éléments supprimés", "Courrier indésirable",
            "Archive", "Boîte d'envoi", "Historique des conversations", "Notes", "Calendrier", "Contacts",
            "Tâches", "Journal"],
        Language::Es => &["Elementos enviados", "Borradores", "Elementos eliminados", "Correo no deseado",
            "Archivo", "Bandeja de salida", "Historial de conversaciones", "Notas", "Calendario", "Contactos",
            "Tareas", "Diario"],
        Language::Nl => &["Verzonden items", "Concepten", "Verwijderde items", "Ongewenste e-mail", "Archief",
            "Postvak UIT", "Gespreksgeschiedenis", "Notities", "Agenda", "Contactpersonen", "Taken", "Logboek"],
        Language::Pl => &["Elementy wysłane", "Wersje robocze", "Elementy usunięte", "Wiadomości-śmieci",
            "Archiwum", "Skrzynka nadawcza", "Historia konwersacji", "Notatki", "Kalendarz", "Kontakty",
            "Zadania", "Dziennik"],
        Language::Tr => &["Gönderilmiş Öğeler", "Taslaklar", "Silinmiş Öğeler", "Gereksiz E-posta", "Arşiv",
            "Giden Kutusu", "Konuşma Geçmişi", "Notlar", "Takvim", "Kişiler", "Görevler", "Günlük"],
        Language::Ja => &["送信済みアイテム", "下書き", "削除済みアイテム", "迷惑メール", "アーカイブ", "送信トレイ",
            "会話の履歴", "メモ", "予定表", "連絡先", "タスク", "履歴"],
    }
}
