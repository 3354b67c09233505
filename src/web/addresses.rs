//! Lists of addresses as people type them: `Ada <ada@example.com>, bob@example.org`.

use crate::model::Address;

/// Most addresses taken in one field.
const MOST: usize = 100;

/// Whether a text is one address that mail can go to: `local@domain` with a dot-separated domain or a
/// single host name. Stricter than RFC 5321 on purpose: no quoted local parts, no comments.
#[must_use]
pub(super) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_fine = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    let domain_fine = domain.len() <= 253
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        });
    local_fine && domain_fine
}

/// Reads a list; the same address twice counts once.
///
/// # Errors
/// A sentence that names the entry which is no address.
pub(super) fn parse(text: &str) -> Result<Vec<Address>, String> {
    let mut found: Vec<Address> = Vec::new();
    for entry in split(text) {
        let address = entry_address(&entry).ok_or_else(|| {
            format!(
                "“{entry}” is not an address; write it like ada@example.com, with commas between."
            )
        })?;
        if !found
            .iter()
            .any(|known| known.address.eq_ignore_ascii_case(&address.address))
        {
            found.push(address);
        }
        if found.len() > MOST {
            return Err(
                "Up to 100 addresses can stand here; send to a list or group instead.".to_owned(),
            );
        }
    }
    Ok(found)
}

/// The list as a person would type it.
#[must_use]
pub(super) fn join(addresses: &[Address]) -> String {
    let one = |address: &Address| {
        if address.name.is_empty() {
            return address.address.clone();
        }
        let plain = address
            .name
            .chars()
            .all(|c| c.is_alphanumeric() || c == ' ' || c == '-' || c == '.' || c == '\'');
        let name = address.name.replace(['"', '\\'], "");
        if plain {
            format!("{name} <{}>", address.address)
        } else {
            format!("\"{name}\" <{}>", address.address)
        }
    };
    addresses.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Splits at commas, semicolons (as Outlook writes them) and line breaks, not inside quotes.
fn split(text: &str) -> Vec<String> {
    let mut entries = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        if c == '"' {
            quoted = !quoted;
        }
        if !quoted && matches!(c, ',' | ';' | '\n') {
            entries.push(String::new());
        } else if let Some(entry) = entries.last_mut() {
            entry.push(c);
        }
    }
    entries
        .into_iter()
        .map(|entry| entry.trim().to_owned())
        .filter(|entry| !entry.is_empty())
        .collect()
}

fn entry_address(entry: &str) -> Option<Address> {
    let (name, address) = match entry.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<')?,
        None => ("", entry),
    };
    let name: String = name
        .trim()
        .trim_matches('"')
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    let address = address.trim();
    is_address(address).then(|| Address::new(name.trim(), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_quotes_commas_and_semicolons_are_read() {
        let read = parse("Ada <ada@example.com>, \"Lovelace, B.\" <b@example.com>; c@example.org")
            .unwrap();
        assert_eq!(
            read,
            [
                Address::new("Ada", "ada@example.com"),
                Address::new("Lovelace, B.", "b@example.com"),
                Address::new("", "c@example.org"),
            ]
        );
        assert_eq!(parse(&join(&read)).unwrap(), read);
    }

    #[test]
    fn what_is_no_address_is_named() {
        for bad in [
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "ada@exa mple",
            "ada@example.com>",
            "a@b..c",
        ] {
            let sentence = parse(&format!("x@example.com, {bad}")).unwrap_err();
            assert!(sentence.contains(bad), "{sentence}");
        }
    }

    #[test]
    fn the_same_address_counts_once_and_nothing_is_an_empty_list() {
        assert_eq!(parse("a@example.com, A@Example.com").unwrap().len(), 1);
        assert!(parse(" , ").unwrap().is_empty());
    }
}
