//! Differences kept on purpose: `kept.txt` names each with its reason.

/// A difference we stand by.
pub(crate) struct Kept {
    /// `folder/file`, `folder/` for all of one source, or `folder/file#` for all of one file.
    pub(crate) unit: String,
    /// The area, and the reason behind it.
    pub(crate) area_and_reason: String,
}

/// The list. A line is `folder/file area: reason…`; `#` begins a remark.
pub(crate) fn list() -> Vec<Kept> {
    let lines = include_str!("kept.txt").lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (unit, rest) = line.split_once(' ').unwrap_or_default();
            assert!(rest.len() > 25, "no reason is given: {line}");
            Kept {
                unit: unit.to_owned(),
                area_and_reason: rest.to_owned(),
            }
        })
        .collect()
}

/// Whether the list stands by this difference.
pub(crate) fn is_kept(list: &[Kept], unit: &str, area: &str) -> bool {
    list.iter().any(|kept| {
        let reason = kept.area_and_reason.strip_prefix(area);
        reason.is_some_and(|reason| reason.starts_with([' ', ':']))
            && (kept.unit == unit
                || (kept.unit.ends_with(['/', '#']) && unit.starts_with(&kept.unit)))
    })
}
