//! The tables, seen as the rest of the program sees them.

use super::*;

#[test]
fn every_cloud_is_found_by_its_name_and_an_unknown_one_names_the_choices() {
    for cloud in Cloud::ALL {
        assert_eq!(cloud.as_str().parse::<Cloud>(), Ok(cloud));
    }
    assert_eq!(" USGov ".parse::<Cloud>(), Ok(Cloud::UsGov));
    let error = "mars".parse::<Cloud>().unwrap_err();
    assert!(error.contains("usgov-dod"), "{error}");
}

#[test]
fn consent_asks_for_both_resources_and_a_token_for_one() {
    let endpoints = Endpoints::new(Cloud::Global, &Overrides::default());
    assert_eq!(
        endpoints.consent_scopes().join(" "),
        "openid profile email offline_access https://outlook.office.com/IMAP.AccessAsUser.All \
         https://outlook.office.com/SMTP.Send https://graph.microsoft.com/Mail.Send \
         https://graph.microsoft.com/User.Read"
    );
    for resource in [Resource::Exchange, Resource::Graph] {
        let scopes = endpoints.scopes(resource);
        let hosts: std::collections::BTreeSet<_> = scopes
            .iter()
            .filter_map(|s| s.rsplit_once('/'))
            .map(|(host, _)| host)
            .collect();
        assert_eq!(hosts.len(), 1, "{scopes:?}");
    }
}

#[test]
fn no_two_clouds_share_a_scope_and_each_has_its_own_servers() {
    let all = Cloud::ALL.map(|cloud| Endpoints::new(cloud, &Overrides::default()));
    for (i, one) in all.iter().enumerate() {
        for other in all.iter().skip(i + 1) {
            assert_ne!(one.scope_prefix, other.scope_prefix);
            assert_ne!(one.graph_url, other.graph_url);
            assert_ne!(one.imap, other.imap);
        }
    }
}

#[test]
fn an_override_replaces_one_address_and_leaves_the_scopes_of_graph_alone() {
    let overrides = Overrides {
        login_url: Some("http://localhost:8080/".to_owned()),
        graph_url: Some("http://localhost:8081".to_owned()),
        imap: None,
        smtp: Some(HostPort::new("localhost", 2525)),
        scope_prefix: Some("https://outlook.office365.com".to_owned()),
    };
    let endpoints = Endpoints::new(Cloud::Global, &overrides);
    assert_eq!(endpoints.login_url, "http://localhost:8080");
    assert_eq!(endpoints.graph_url, "http://localhost:8081");
    assert_eq!(endpoints.imap.to_string(), "outlook.office365.com:993");
    assert_eq!(endpoints.scope_prefix, "https://outlook.office365.com/");
    assert!(endpoints.scopes(Resource::Graph)[0].starts_with("https://graph.microsoft.com/"));
    assert_eq!(
        endpoints.traits("any").smtp,
        endpoints.traits(PERSONAL_TENANT_ID).smtp
    );
}

#[test]
fn personal_accounts_submit_elsewhere_and_get_another_message_id() {
    let endpoints = Endpoints::new(Cloud::Global, &Overrides::default());
    let personal = endpoints.traits("9188040D-6C67-4C5B-B112-36A304B66DAD");
    assert!(personal.personal && personal.replaces_message_id);
    assert_eq!(personal.smtp.to_string(), "smtp-mail.outlook.com:587");
    let work = endpoints.traits("11111111-2222-3333-4444-555555555555");
    assert!(!work.personal && !work.replaces_message_id);
    assert_eq!(work.smtp.to_string(), "smtp.office365.com:587");
    assert_eq!(work.sent_copy, SentCopy::Server);
}

#[test]
fn a_granted_scope_is_recognised_with_or_without_its_resource() {
    assert!(grants(
        "https://outlook.office.com/imap.accessasuser.all",
        "IMAP.AccessAsUser.All"
    ));
    assert!(grants("Mail.Send", "Mail.Send"));
    assert!(!grants(
        "https://graph.microsoft.com/Mail.Send.Shared",
        "Mail.Send"
    ));
}

#[test]
fn sent_items_is_known_in_many_languages_and_english_comes_first() {
    assert_eq!(sent_folder_rank("Sent Items"), Some(0));
    assert!(sent_folder_rank("Sent") > sent_folder_rank("sent items"));
    for name in [
        "Gesendete Elemente",
        "ÉLÉMENTS ENVOYÉS",
        "送信済みアイテム",
        "Gönderilmiş Öğeler",
    ] {
        assert!(sent_folder_rank(name).is_some(), "{name}");
    }
    assert_eq!(sent_folder_rank("Archive"), None);
}

#[test]
fn the_permissions_to_add_are_the_eight_the_guide_lists() {
    assert_eq!(
        permissions(),
        [
            "email",
            "IMAP.AccessAsUser.All",
            "Mail.Send",
            "offline_access",
            "openid",
            "profile",
            "SMTP.Send",
            "User.Read"
        ]
    );
}
