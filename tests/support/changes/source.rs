//! Sources by name, and who has them.

use grantree::Document;
use grantree::SourceName;
use grantree::document::{Map, Role, Source, Statements, UserEntry};

use super::super::oracle::visit;

/// The word for a kind of source that users have; of another, none.
pub fn kind_of(source: &SourceName) -> Option<&'static str> {
    match source {
        SourceName::Profile(_) => Some("profile"),
        SourceName::Role(_) => Some("role"),
        SourceName::ApprovalGroup(_) => Some("approval_group"),
        SourceName::Global | SourceName::User(_) => None,
    }
}

pub fn name_of(source: &SourceName) -> &str {
    match source {
        SourceName::Global => "",
        SourceName::Profile(name)
        | SourceName::Role(name)
        | SourceName::ApprovalGroup(name)
        | SourceName::User(name) => name,
    }
}

/// Another source of the same kind.
pub fn of_same_kind(source: &SourceName, name: &str) -> SourceName {
    match source {
        SourceName::Global => SourceName::Global,
        SourceName::Profile(_) => SourceName::Profile(name.to_owned()),
        SourceName::Role(_) => SourceName::Role(name.to_owned()),
        SourceName::ApprovalGroup(_) => SourceName::ApprovalGroup(name.to_owned()),
        SourceName::User(_) => SourceName::User(name.to_owned()),
    }
}

/// A profile, a role or an approval group.
pub fn find<'d>(document: &'d Document, source: &SourceName) -> Option<&'d Source> {
    match source {
        SourceName::Profile(name) => document.profiles.get(name),
        SourceName::Role(name) => document.roles.get(name).map(|role| &role.source),
        SourceName::ApprovalGroup(name) => document.approval_groups.get(name),
        SourceName::Global | SourceName::User(_) => None,
    }
}

pub fn find_mut<'d>(document: &'d mut Document, source: &SourceName) -> Option<&'d mut Source> {
    match source {
        SourceName::Profile(name) => document.profiles.get_mut(name),
        SourceName::Role(name) => document.roles.get_mut(name).map(|role| &mut role.source),
        SourceName::ApprovalGroup(name) => document.approval_groups.get_mut(name),
        SourceName::Global | SourceName::User(_) => None,
    }
}

pub fn statements_mut<'d>(
    document: &'d mut Document,
    source: &SourceName,
) -> Option<&'d mut Statements> {
    match source {
        SourceName::Global => Some(&mut document.global),
        SourceName::User(name) => document.users.get_mut(name).map(|user| &mut user.statements),
        source => find_mut(document, source).map(|source| &mut source.statements),
    }
}

/// "A source with `assignable_by: [role]`."
pub fn guard<'d>(document: &'d Document, source: &SourceName) -> Option<&'d [String]> {
    find(document, source)?.assignable_by.as_deref()
}

/// Puts a source where it stands, or is to stand; of what is no role, only what
/// it has in common with one.
pub fn put(document: &mut Document, source: &SourceName, body: Role) {
    fn put_into<V>(map: &mut Map<V>, name: &str, value: V) {
        match map.get_mut(name) {
            Some(known) => *known = value,
            None => map.push(name, value),
        }
    }
    match source {
        SourceName::Profile(name) => put_into(&mut document.profiles, name, body.source),
        SourceName::Role(name) => put_into(&mut document.roles, name, body),
        SourceName::ApprovalGroup(name) => {
            put_into(&mut document.approval_groups, name, body.source);
        }
        SourceName::Global | SourceName::User(_) => {}
    }
}

pub fn remove(document: &mut Document, source: &SourceName) {
    match source {
        SourceName::Profile(name) => document.profiles.retain(|known, _| known != name),
        SourceName::Role(name) => document.roles.retain(|known, _| known != name),
        SourceName::ApprovalGroup(name) => {
            document.approval_groups.retain(|known, _| known != name);
        }
        SourceName::Global | SourceName::User(_) => {}
    }
}

pub fn rename<V>(map: &mut Map<V>, from: &str, to: &str) {
    let renamed = |name: String| if name == from { to.to_owned() } else { name };
    *map = std::mem::take(map).into_iter().map(|(name, value)| (renamed(name), value)).collect();
}

/// "Keeps every reference."
pub fn rename_everywhere(document: &mut Document, source: &SourceName, to: &str) {
    let from = name_of(source);
    let in_list = |list: &mut Vec<String>| {
        for name in list.iter_mut().filter(|name| *name == from) {
            to.clone_into(name);
        }
    };
    let in_option = |name: &mut Option<String>| {
        for name in name.iter_mut().filter(|name| *name == from) {
            to.clone_into(name);
        }
    };
    let users: Vec<String> = document.users.iter().map(|(name, _)| name.to_owned()).collect();
    for user in users {
        let user = document.users.get_mut(&user).expect("a user");
        match source {
            SourceName::Profile(_) => in_option(&mut user.profile),
            SourceName::Role(_) => in_list(&mut user.roles),
            _ => in_list(&mut user.approval_groups),
        }
    }
    match source {
        SourceName::Profile(_) => {
            in_option(&mut document.default_profile);
            rename(&mut document.profiles, from, to);
        }
        SourceName::ApprovalGroup(_) => rename(&mut document.approval_groups, from, to),
        _ => {
            for other in sources(document) {
                let body = find_mut(document, &other).expect("a source");
                body.assignable_by.iter_mut().for_each(in_list);
                if let SourceName::Role(name) = &other {
                    let role = document.roles.get_mut(name).expect("a role");
                    in_list(&mut role.includes);
                    in_option(&mut role.demoted_to);
                }
            }
            rename(&mut document.roles, from, to);
        }
    }
}

/// All profiles, roles and approval groups.
pub fn sources(document: &Document) -> Vec<SourceName> {
    let profiles = document.profiles.iter().map(|(name, _)| SourceName::Profile(name.to_owned()));
    let roles = document.roles.iter().map(|(name, _)| SourceName::Role(name.to_owned()));
    let groups = document.approval_groups.iter();
    let groups = groups.map(|(name, _)| SourceName::ApprovalGroup(name.to_owned()));
    profiles.chain(roles).chain(groups).collect()
}

/// The profile, roles and approval groups of a user, none by inclusion.
pub fn held_by(document: &Document, user: &str) -> Vec<SourceName> {
    let user = document.users.get(user).expect("a known user");
    let profile = user.profile.iter().cloned().map(SourceName::Profile);
    let roles = user.roles.iter().cloned().map(SourceName::Role);
    let groups = user.approval_groups.iter().cloned().map(SourceName::ApprovalGroup);
    profile.chain(roles).chain(groups).collect()
}

/// The same, those by inclusion too; of an unknown user, none.
pub fn held_by_inclusion(document: &Document, user: &str) -> Vec<SourceName> {
    if document.users.get(user).is_none() {
        return Vec::new();
    }
    let held = held_by(document, user);
    held.iter().flat_map(|source| with_included(document, source)).collect()
}

/// Whether a user has a source, not by inclusion.
pub fn has(users: &Map<UserEntry>, user: &str, source: &SourceName) -> bool {
    users.get(user).is_some_and(|user| match source {
        SourceName::Profile(name) => user.profile.as_ref() == Some(name),
        SourceName::Role(name) => user.roles.contains(name),
        SourceName::ApprovalGroup(name) => user.approval_groups.contains(name),
        SourceName::Global | SourceName::User(_) => false,
    })
}

pub fn holders(document: &Document, source: &SourceName) -> Vec<String> {
    let names = document.users.iter().map(|(name, _)| name);
    names.filter(|name| has(&document.users, name, source)).map(str::to_owned).collect()
}

/// A source and, of a role, all that it includes; of what is unknown, nothing.
pub fn with_included(document: &Document, source: &SourceName) -> Vec<SourceName> {
    match source {
        SourceName::Role(role) if document.roles.get(role).is_some() => {
            let mut roles = Vec::new();
            visit(document, role, &mut roles);
            roles.into_iter().map(|role| SourceName::Role(role.to_owned())).collect()
        }
        source if find(document, source).is_some() => vec![source.clone()],
        _ => Vec::new(),
    }
}

/// Gives a user a source: a role or an approval group after those before.
pub fn give(document: &mut Document, user: &str, source: &SourceName) {
    if has(&document.users, user, source) {
        return;
    }
    let user = document.users.get_mut(user).expect("a known user");
    match source {
        SourceName::Profile(name) => user.profile = Some(name.clone()),
        SourceName::Role(name) => user.roles.push(name.clone()),
        SourceName::ApprovalGroup(name) => user.approval_groups.push(name.clone()),
        SourceName::Global | SourceName::User(_) => {}
    }
}

/// Takes a source from a user. Another may come in its place; where the user has
/// that one already, it stays where it is.
pub fn take(
    document: &mut Document,
    user: &str,
    source: &SourceName,
    instead: Option<&SourceName>,
) {
    let user = document.users.get_mut(user).expect("a known user");
    let list = match source {
        SourceName::Role(_) => &mut user.roles,
        SourceName::ApprovalGroup(_) => &mut user.approval_groups,
        _ => {
            user.profile = instead.map(|instead| name_of(instead).to_owned());
            return;
        }
    };
    let instead = instead.map(name_of).filter(|name| list.iter().all(|known| known != name));
    let place = list.iter().position(|name| name == name_of(source)).expect("the user has it");
    list.remove(place);
    if let Some(instead) = instead {
        list.insert(place, instead.to_owned());
    }
}

/// Whether some thing leads back to itself.
pub fn is_in_ring(name: &str, next: impl Fn(&str) -> Vec<String>) -> bool {
    let mut reached = next(name);
    let mut at = 0;
    while at < reached.len() {
        for name in next(&reached[at]) {
            if !reached.contains(&name) {
                reached.push(name);
            }
        }
        at += 1;
    }
    reached.iter().any(|reached| reached == name)
}
