//! Differences kept on purpose: `kept.txt` names each with its reason.

/// A difference we stand by.
pub(crate) struct Kept {
    /// `folder/file`, `folder/` for all of one source, or `folder/file#` for all of one file.
    pub(crate) unit: String,
    /// The area.
    pub(crate) area: String,
}

/// The list. A line is `folder/file area reason…`; `#` begins a remark.
pub(crate) fn list() -> Vec<Kept> {
    let lines = include_str!("kept.txt").lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut pieces = line.splitn(3, ' ');
            let (unit, area, reason) = (pieces.next(), pieces.next(), pieces.next());
            assert!(
                reason.is_some_and(|reason| reason.len() > 10),
                "no reason is given: {line}"
            );
            Kept {
                unit: unit.unwrap_or_default().to_owned(),
                area: area.unwrap_or_default().to_owned(),
            }
        })
        .collect()
}

/// Whether the list stands by this difference.
pub(crate) fn is_kept(list: &[Kept], unit: &str, area: &str) -> bool {
    list.iter().any(|kept| {
        kept.area == area
            && (kept.unit == unit
                || (kept.unit.ends_with(['/', '#']) && unit.starts_with(&kept.unit)))
    })
}
