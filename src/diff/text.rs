//! Diffs as text for people.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    BeforeAfter, Dated, Diff, Extent, Group, NameChange, NameKind, PermissionChange, Presence,
    SettingChange, Shift,
};
use crate::document::{RelationType, SettingValue};
use crate::filter::{Quoted, write_objects};
use crate::problem::OneLine;

/// The most users named, and the most permissions of a group shown, in the short form.
const USERS: usize = 3;
const PERMISSIONS: usize = 40;

impl Display for Diff {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing changes\n");
        }
        for name in &self.names {
            writeln!(f, "{name}")?;
        }
        self.groups.iter().try_for_each(|group| group.fmt(f))?;
        match self.unlisted {
            0 => Ok(()),
            1 => f.write_str("1 user more is not listed, for whom something may change\n"),
            users => {
                let users = count(users);
                writeln!(f, "{users} users more are not listed, for whom something may change")
            }
        }
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Group { users, presence, permissions, settings } = self;
        let all = f.alternate();
        let which = match presence {
            Presence::Stays => "",
            Presence::New => "new ",
            Presence::Gone => "removed ",
        };
        write_which(f, users.len(), users.names(), which)?;
        let one = users.len() == 1;
        let shown = if all { permissions.len() } else { PERMISSIONS };
        for change in permissions.iter().take(shown) {
            write_permission(f, change, one)?;
        }
        if let more @ 1.. = permissions.len().saturating_sub(shown) {
            writeln!(f, "  and {} more", count(more))?;
        }
        let have = if one { "has" } else { "have" };
        for SettingChange { setting, value: BeforeAfter { before, after } } in settings {
            let (before, after) = (setting_text(before.as_ref()), setting_text(after.as_ref()));
            writeln!(f, "  {have} setting {setting}: now {after}, before {before}")?;
        }
        Ok(())
    }
}

/// Writes a line about users, of whom the short form names a few.
pub(crate) fn write_users<'n>(
    f: &mut Formatter<'_>,
    users: usize,
    names: impl Iterator<Item = &'n str>,
) -> fmt::Result {
    write_which(f, users, names, "")
}

fn write_which<'n>(
    f: &mut Formatter<'_>,
    users: usize,
    names: impl Iterator<Item = &'n str>,
    which: &str,
) -> fmt::Result {
    let noun = if users == 1 { "user" } else { "users" };
    write!(f, "{} {which}{noun}: ", count(users))?;
    let shown = if f.alternate() || users <= USERS + 1 { users } else { USERS };
    let mut line = OneLine(f);
    for (at, name) in names.take(shown).enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        write!(line, "{separator}`{name}`")?;
    }
    if let more @ 1.. = users.saturating_sub(shown) {
        write!(line, " and {} more", count(more))?;
    }
    f.write_str("\n")
}

fn write_permission(f: &mut Formatter<'_>, change: &PermissionChange, one: bool) -> fmt::Result {
    let PermissionChange { permission, shift, on, effective, level, can_some } = change;
    let (gain, lose, have) = if one { ("gains", "loses", "has") } else { ("gain", "lose", "have") };
    // For a graded one, more may mean more levels on the same objects.
    let leveled = level.is_some() && on.before == on.after;
    let by_dates = on.before != on.after && on.before.is_but_for_dates(&on.after);
    let noun = if by_dates { "days" } else { "objects" };
    match shift {
        Shift::Gained => write!(f, "  {gain} {permission}")?,
        Shift::Lost => write!(f, "  {lose} {permission}")?,
        Shift::More if leveled => write!(f, "  {have} more of {permission}")?,
        Shift::Fewer if leveled => write!(f, "  {have} less of {permission}")?,
        Shift::More => write!(f, "  {have} {permission} on more {noun}")?,
        Shift::Fewer => write!(f, "  {have} {permission} on fewer {noun}")?,
        Shift::Other => write!(f, "  {have} {permission} on other {noun}")?,
        Shift::Same => write!(f, "  {have} {permission} on the same objects")?,
    }
    if let Some(BeforeAfter { before, after }) = level {
        let (before, after) = (level_text(before.as_deref()), level_text(after.as_deref()));
        write!(f, ": now {after}, before {before}")?;
    }
    match (shift, &on.before, &on.after) {
        (Shift::Gained, _, Extent::Objects { .. } | Extent::ByDate(_)) => {
            write!(f, ", on {}", on.after)?;
        }
        (Shift::Lost, Extent::Objects { .. } | Extent::ByDate(_), _) => {
            write!(f, ", on {}", on.before)?;
        }
        _ => {}
    }
    f.write_str("\n")?;
    match shift {
        Shift::Gained | Shift::Lost | Shift::Same => {}
        _ if on.before != on.after => {
            writeln!(f, "    now on {}", on.after)?;
            writeln!(f, "    before on {}", on.before)?;
        }
        _ if leveled => {}
        _ if on.after.asks_for_groups() => {
            writeln!(f, "    still on {}, but with different groups", on.after)?;
        }
        // A fence that reaches no further on any other day, or a comparison that would take
        // too long.
        _ => {
            let last = "on the last days of the calendar";
            writeln!(f, "    still on {}, but it may differ on some objects, or {last}", on.after)?;
        }
    }
    // The answers without an object mostly follow.
    let follows = |sides: &BeforeAfter<bool>| match shift {
        Shift::Gained => sides.after,
        Shift::Lost => sides.before,
        _ => false,
    };
    let now = |sides: &BeforeAfter<bool>| if sides.after { "now" } else { "no longer" };
    if let (Some(sides), None) = (effective.as_ref().filter(|it| !follows(it)), level) {
        // In an assignment it may be, or have been.
        let otherwise = if sides.after { &on.before } else { &on.after };
        let ordinary = *otherwise != Extent::Nothing;
        let capacity = if ordinary { " in the ordinary capacity" } else { "" };
        writeln!(f, "    it is {} effective{capacity}", now(sides))?;
    }
    if let Some(sides) = can_some.as_ref().filter(|it| !follows(it)) {
        writeln!(f, "    without an object, it is {} offered", now(sides))?;
    }
    Ok(())
}

/// Writes a number with thousands separators.
fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (left, digit) in (1..=digits.len()).rev().zip(digits.chars()) {
        if !text.is_empty() && left.is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn level_text(level: Option<&str>) -> String {
    level.map_or_else(|| "without levels".to_owned(), |level| format!("`{level}`"))
}

fn setting_text(value: Option<&SettingValue>) -> String {
    match value {
        Some(SettingValue::Text(text)) => Quoted(text).to_string(),
        Some(value) => value.to_string(),
        None => "unset".to_owned(),
    }
}

impl Display for NameChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let NameChange { kind, name, presence } = self;
        let kind = match kind {
            NameKind::Permission => "permission",
            NameKind::LowestLevel => "lowest level",
            NameKind::Object => "object kind",
            NameKind::Relation => "relation",
            NameKind::Attribute => "attribute",
            NameKind::Setting => "setting",
            NameKind::Default => "default",
        };
        let known = match presence {
            Presence::Stays => "stays",
            Presence::New => "is new",
            Presence::Gone => "is removed",
        };
        write!(OneLine(f), "{kind} `{name}` {known}")
    }
}

impl Extent {
    /// Returns whether a relation to groups makes a difference.
    fn asks_for_groups(&self) -> bool {
        match self {
            Extent::Nothing | Extent::Everything => false,
            Extent::Objects { condition, definitions, .. } => {
                let mut all = std::iter::once(condition).chain(definitions);
                all.any(|predicate| predicate.asks_for(RelationType::Group))
            }
            Extent::ByDate(all) => all.iter().any(|dated| dated.on.asks_for_groups()),
        }
    }

    /// Returns whether the same objects are allowed on some days, whichever these are.
    fn is_but_for_dates(&self, other: &Extent) -> bool {
        let (some, others) = (self.on_some_days(), other.on_some_days());
        some.iter().all(|it| others.contains(it)) && others.iter().all(|it| some.contains(it))
    }

    fn on_some_days(&self) -> Vec<&Extent> {
        match self {
            Extent::ByDate(parts) => parts.iter().map(|part| &part.on).collect(),
            _ => vec![self],
        }
    }
}

impl Display for Dated {
    /// `every job where assignee is me (until 2026-12-24)`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.on.fmt(f)?;
        match (self.from, self.until) {
            (None, None) => Ok(()),
            (Some(from), None) => write!(f, " (from {from})"),
            (None, Some(until)) => write!(f, " (until {until})"),
            (Some(from), Some(until)) => write!(f, " (from {from} until {until})"),
        }
    }
}

impl Display for Extent {
    /// `every job where assignee is me`, `everything` or `nothing`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Extent::Nothing => f.write_str("nothing"),
            Extent::Everything => f.write_str("everything"),
            Extent::Objects { kind, condition, definitions } => {
                write_objects(f, kind, condition, definitions)
            }
            Extent::ByDate(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    let separator = if at == 0 { "" } else { ", or " };
                    write!(f, "{separator}{part}")?;
                }
                Ok(())
            }
        }
    }
}
