//! What people's mail programs call their folders: a table of names by role.

use super::folders::FolderRole;

/// Names by role, in lower case and divided by `|`: Exchange and Outlook.com in their languages, then others.
pub(super) const BY_NAME: [(FolderRole, &str); 6] = [
    (
        FolderRole::Sent,
        "sent items|sent|sent mail|sent messages|gesendete elemente|gesendet|\
         gesendete objekte|éléments envoyés|envoyés|messages envoyés|elementos enviados|\
         enviados|posta inviata|inviata|verzonden items|verzonden|itens enviados|\
         itens enviadas|elementy wysłane|wysłane|skickat|skickade objekt|sendt post|\
         sendte elementer|sendt|lähetetyt|lähetetyt kohteet|odeslaná pošta|odoslaná pošta|\
         odoslané položky|elküldött elemek|elemente trimise|gönderilmiş öğeler|отправленные|\
         надіслані|надіслані елементи|απεσταλμένα|送信済みアイテム|送信済み|已发送邮件|已发送|寄件備份|보낸 편지함",
    ),
    (
        FolderRole::Drafts,
        "drafts|draft|entwürfe|brouillons|borradores|bozze|concepten|rascunhos|\
         wersje robocze|kopie robocze|utkast|kladder|luonnokset|koncepty|rozepsané|\
         piszkozatok|ciorne|schițe|taslaklar|черновики|чернетки|πρόχειρα|下書き|草稿|임시 보관함",
    ),
    (
        FolderRole::Trash,
        "deleted items|deleted|deleted messages|trash|bin|gelöschte elemente|gelöscht|\
         papierkorb|éléments supprimés|supprimés|corbeille|elementos eliminados|eliminados|\
         papelera|posta eliminata|elementi eliminati|cestino|verwijderde items|prullenbak|\
         itens excluídos|itens eliminados|lixeira|elementy usunięte|kosz|borttaget|\
         borttagna objekt|slettet post|slettede elementer|poistetut|poistetut kohteet|\
         odstraněná pošta|odstránená pošta|odstránené položky|törölt elemek|elemente șterse|\
         silinmiş öğeler|удаленные|удалённые|видалені|видалені елементи|διαγραμμένα|削除済みアイテム|\
         已删除邮件|已删除|刪除的郵件|지운 편지함",
    ),
    (
        FolderRole::Junk,
        "junk email|junk e-mail|junk|spam|junk-e-mail|courrier indésirable|indésirables|\
         correo no deseado|posta indesiderata|ongewenste e-mail|lixo eletrônico|\
         lixo eletrónico|e-mail de lixo|wiadomości-śmieci|wiadomości śmieci|skräppost|\
         uønsket e-mail|uønsket e-post|søppelpost|roskaposti|nevyžádaná pošta|\
         nevyžiadaná pošta|levélszemét|e-mail nedorit|önemsiz e-posta|нежелательная почта|\
         небажана пошта|ανεπιθύμητα|迷惑メール|垃圾邮件|垃圾電子郵件|정크 메일",
    ),
    (
        FolderRole::Archive,
        "archive|archiv|archives|archivo|archivieren|archivio|archief|arquivo|arquivo morto|\
         archiwum|arkiv|arkisto|archív|archívum|arhivă|arşiv|архив|архів|αρχειοθήκη|アーカイブ|存档|\
         封存|보관",
    ),
    (
        FolderRole::NotMail,
        "calendar|kalender|calendrier|calendario|agenda|calendário|kalendarz|kalenteri|\
         kalendář|kalendár|naptár|takvim|календарь|календар|ημερολόγιο|予定表|日历|行事曆|일정|\
         contacts|kontakte|contactos|contatti|contactpersonen|contatos|kontakty|kontakter|\
         yhteystiedot|névjegyek|persoane de contact|kişiler|контакты|контакти|επαφές|連絡先|联系人|\
         連絡人|연락처|tasks|aufgaben|tâches|tareas|attività|taken|tarefas|zadania|uppgifter|\
         opgaver|oppgaver|tehtävät|úkoly|úlohy|feladatok|activități|görevler|задачи|завдання|\
         εργασίες|タスク|任务|工作|작업|notes|notizen|notas|note|notities|notatki|anteckningar|noter|\
         notater|muistiinpanot|poznámky|feljegyzések|notlar|заметки|нотатки|σημειώσεις|メモ|便笺|\
         記事|메모|journal|diario|logboek|diário|dziennik|journaal|päiväkirja|deník|denník|napló|\
         jurnal|günlük|дневник|журнал|履歴|日记|日誌|업무 일지|files|dateien|conversation history|\
         verlauf der unterhaltung|aufgezeichnete unterhaltungen|historique des conversations|\
         historial de conversaciones|outbox|postausgang|boîte d'envoi|bandeja de salida|\
         posta in uscita|postvak uit|caixa de saída|skrzynka nadawcza|utkorgen|udbakke|\
         utboks|lähtevät|pošta k odeslání|giden kutusu|исходящие|送信トレイ|发件箱|寄件匣|보낼 편지함|\
         sync issues|synchronisierungsprobleme|problèmes de synchronisation|\
         problemas de sincronización|rss feeds|rss-feeds|flux rss|fuentes rss|yammer root|\
         external contacts|conversation action settings|quick step settings",
    ),
];
