//! The conditions of a query.

use super::{lines::Lines, segment::Segment, text::lowercase};
use memchr::memmem;
use std::collections::HashMap;
use uuid::Uuid;

/// A set of status bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatusBytes(pub(super) u32);

impl Default for StatusBytes {
    fn default() -> Self {
        Self::ALL
    }
}

impl StatusBytes {
    pub(crate) const ALL: Self = Self(u32::MAX);

    /// The status bytes that meet a condition.
    pub(crate) fn matching(holds: impl Fn(u8) -> bool) -> Self {
        Self((0..24).filter(|&status_byte| holds(status_byte)).fold(0, |bits, status_byte| bits | 1 << status_byte))
    }

    pub(super) fn contains(self, status_byte: u8) -> bool {
        self.0 >> status_byte.min(31) & 1 == 1
    }
}

/// [`Status::Active`](muster_domain::Status::Active) in a status byte.
pub(super) const ACTIVE: u8 = 1;

/// The conditions that a device must meet to match. The default matches all.
#[derive(Default)]
pub(crate) struct Criteria {
    /// One of these lower-case texts is in its name, friendly name or model. Empty: any device.
    pub(crate) texts: Vec<String>,
    /// It is of this model.
    pub(crate) model: Option<String>,
    pub(crate) status_bytes: StatusBytes,
    /// It is in one of these groups.
    pub(crate) groups: Option<Vec<Uuid>>,
    /// It is in one of these lines, by segment.
    pub(crate) lines: Option<HashMap<i64, Lines>>,
    /// It is `Active`, but was last seen before this time, in milliseconds.
    pub(crate) silent_since: Option<i64>,
}

impl Criteria {
    /// The lines of a segment that match; `None`: all.
    pub(super) fn lines_of(&self, id: i64, segment: &Segment, finders: &[memmem::Finder<'_>]) -> Option<Lines> {
        let mut lines = None;
        if let Some(of_segments) = &self.lines {
            lines = Some(of_segments.get(&id).cloned().unwrap_or_default());
        }
        if let Some(groups) = &self.groups {
            let members = segment.members().in_any(groups);
            lines = Some(lines.map_or_else(|| members.clone(), |lines| lines.and(&members)));
        }
        if !finders.is_empty() {
            let mut found = Lines::default();
            finders.iter().flat_map(|finder| lines_containing(segment, finder)).for_each(|line| found.insert(line));
            // A segment has few models, so each is searched once, not once for each device.
            let has_text =
                |model: &String| finders.iter().any(|finder| finder.find(lowercase(model).as_bytes()).is_some());
            let models: Vec<bool> = segment.models().iter().map(has_text).collect();
            if models.contains(&true) {
                let of_models = Lines::matching(segment.devices(), |line| models[segment.model(line) as usize]);
                found = found.or(&of_models);
            }
            lines = Some(lines.map_or_else(|| found.clone(), |lines| lines.and(&found)));
        }
        if let Some(model) = &self.model {
            match segment.models().iter().position(|name| name == model) {
                Some(_) if segment.models().len() == 1 => {}
                Some(model) => narrow(&mut lines, segment, |line| segment.model(line) as usize == model),
                None => return Some(Lines::default()),
            }
        }
        if self.status_bytes != StatusBytes::ALL {
            narrow(&mut lines, segment, |line| self.status_bytes.contains(segment.status_byte(line)));
        }
        if let Some(since) = self.silent_since {
            // 0: another server stored the device's first report a moment ago.
            let is_silent =
                |line| segment.status_byte(line) >> 3 == ACTIVE && (1..since).contains(&segment.last_seen(line));
            narrow(&mut lines, segment, is_silent);
        }
        lines
    }
}

/// Removes the lines that do not meet a condition, from these or from all.
fn narrow(lines: &mut Option<Lines>, segment: &Segment, holds: impl Fn(u32) -> bool) {
    match lines {
        Some(lines) => lines.retain(holds),
        None => *lines = Some(Lines::matching(segment.devices(), holds)),
    }
}

/// The lines of a segment whose name or friendly name contains a text.
fn lines_containing<'s>(segment: &'s Segment, finder: &'s memmem::Finder<'_>) -> impl Iterator<Item = u32> {
    let (text, lines) = segment.lowercased();
    let mut line = 0;
    std::iter::from_fn(move || {
        let start = *lines.get(line as usize).filter(|_| (line as usize) < lines.len() - 1)?;
        let found = start + finder.find(&text.as_bytes()[start as usize..])? as u32;
        // It is nearly always this line, or one of the next.
        while lines[line as usize + 1] <= found {
            line += 1;
        }
        line += 1;
        Some(line - 1)
    })
}
