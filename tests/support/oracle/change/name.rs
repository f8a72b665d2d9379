//! Sources and users by name, in a document.

use serde_json::{Value, json};

use super::super::json::{entries, list, text};
use super::super::policy::Policy;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Global,
    Profile,
    Role,
    ApprovalGroup,
    User,
}

impl Kind {
    pub const BUNDLED: [Kind; 3] = [Kind::Profile, Kind::Role, Kind::ApprovalGroup];

    pub fn is_bundled(self) -> bool {
        Kind::BUNDLED.contains(&self)
    }

    /// The word for it in changes.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Global => "global",
            Kind::Profile => "profile",
            Kind::Role => "role",
            Kind::ApprovalGroup => "approval_group",
            Kind::User => "user",
        }
    }

    /// The map of a document; and, of roles and approval groups, the list of a holder.
    pub fn field(self) -> &'static str {
        match self {
            Kind::Global => "global",
            Kind::Profile => "profiles",
            Kind::Role => "roles",
            Kind::ApprovalGroup => "approval_groups",
            Kind::User => "users",
        }
    }
}

/// The name of a source: `"global"`, or `{"role": "lead"}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub kind: Kind,
    pub name: String,
}

impl Name {
    pub fn new(kind: Kind, name: &str) -> Name {
        Name { kind, name: name.to_owned() }
    }

    pub fn read(source: &Value) -> Name {
        let kinds = [Kind::Profile, Kind::Role, Kind::ApprovalGroup, Kind::User];
        let named = kinds.into_iter().find_map(|kind| Some((kind, source[kind.word()].as_str()?)));
        named.map_or(Name::new(Kind::Global, ""), |(kind, name)| Name::new(kind, name))
    }

    /// A source of the same kind.
    pub fn alike(&self, name: &str) -> Name {
        Name::new(self.kind, name)
    }

    pub fn find<'d>(&self, document: &'d Value) -> Option<&'d Value> {
        match self.kind {
            Kind::Global => Some(&document["global"]),
            kind => document[kind.field()].get(&self.name),
        }
    }

    pub fn find_mut<'d>(&self, document: &'d mut Value) -> Option<&'d mut Value> {
        match self.kind {
            Kind::Global => {
                let global = &mut document["global"];
                if global.is_null() {
                    *global = json!({});
                }
                Some(global)
            }
            kind => document[kind.field()].get_mut(&self.name),
        }
    }

    pub fn put(&self, document: &mut Value, body: Value) {
        document[self.kind.field()][&self.name] = body;
    }

    pub fn remove(&self, document: &mut Value) {
        if let Some(map) = document[self.kind.field()].as_object_mut() {
            map.remove(&self.name);
        }
    }

    /// A source and, of a role, all that it includes; of what is unknown, nothing.
    pub fn with_included(&self, policy: &Policy) -> Vec<Name> {
        let is_known = match self.kind {
            Kind::Role if policy.roles.contains_key(&self.name) => {
                let roles = policy.with_included(std::slice::from_ref(&self.name));
                return roles.iter().map(|role| self.alike(role)).collect();
            }
            Kind::Profile => policy.profiles.contains_key(&self.name),
            Kind::ApprovalGroup => policy.approval_groups.contains_key(&self.name),
            _ => false,
        };
        Vec::from_iter(is_known.then(|| self.clone()))
    }

    /// Returns `true` if a user or an assignment has it, not by inclusion.
    pub fn is_held_by(&self, holder: &Value) -> bool {
        match self.kind {
            Kind::Profile => holder["profile"] == *self.name,
            kind => list(holder, kind.field()).contains(&self.name),
        }
    }

    /// The place of a source: "a name that is not `[A-Za-z0-9_-]+` stands as a JSON string
    /// in brackets".
    pub fn place(&self) -> String {
        named_place(self.kind.field(), &self.name)
    }
}

pub fn named_place(map: &str, name: &str) -> String {
    if super::fit::is_name(name) {
        format!("{map}.{name}")
    } else {
        format!("{map}[{}]", json!(name))
    }
}

/// The profile, roles and approval groups of a user or an assignment, none by inclusion.
pub fn held(holder: &Value) -> Vec<Name> {
    let profile = text(holder, "profile").map(|name| Name::new(Kind::Profile, &name));
    let lists = [Kind::Role, Kind::ApprovalGroup].into_iter().flat_map(|kind| {
        list(holder, kind.field()).into_iter().map(move |name| Name::new(kind, &name))
    });
    profile.into_iter().chain(lists).collect()
}

/// The users who have a source in the ordinary capacity.
pub fn holders(document: &Value, source: &Name) -> Vec<String> {
    let users = entries(&document["users"]).filter(|(_, user)| source.is_held_by(user));
    users.map(|(name, _)| name.to_owned()).collect()
}

/// The users who have a source in assignments.
pub fn assigned_to(document: &Value, source: &Name) -> Vec<String> {
    let holds = |user: &Value| entries(&user["assignments"]).any(|(_, it)| source.is_held_by(it));
    let users = entries(&document["users"]).filter(|(_, user)| holds(user));
    users.map(|(name, _)| name.to_owned()).collect()
}

/// Takes a source from a user or an assignment. Another may come in its place; where that
/// is held already, it stays where it is.
pub fn take(holder: &mut Value, source: &Name, instead: Option<&str>) {
    let field = match source.kind {
        Kind::Profile => {
            return match instead {
                Some(instead) => holder["profile"] = json!(instead),
                None => remove(holder, "profile"),
            };
        }
        kind => kind.field(),
    };
    let names = list(holder, field);
    let instead = instead.filter(|instead| names.iter().all(|name| name != instead));
    let kept =
        |name: String| if name == source.name { instead.map(str::to_owned) } else { Some(name) };
    let names: Vec<String> = names.into_iter().filter_map(kept).collect();
    set_list(holder, field, &names);
}

/// Gives a source to a user: a role or an approval group after those before.
pub fn give(holder: &mut Value, source: &Name) {
    match source.kind {
        Kind::Profile => holder["profile"] = json!(source.name),
        _ if source.is_held_by(holder) => {}
        kind => {
            let mut names = list(holder, kind.field());
            names.push(source.name.clone());
            set_list(holder, kind.field(), &names);
        }
    }
}

/// Sets a list; an empty one is absent.
pub fn set_list(holder: &mut Value, field: &str, names: &[String]) {
    if names.is_empty() {
        remove(holder, field);
    } else {
        holder[field] = json!(names);
    }
}

pub fn remove(holder: &mut Value, field: &str) {
    if let Some(fields) = holder.as_object_mut() {
        fields.remove(field);
    }
}

/// Puts another name in the place of one, wherever it stands in a list.
pub fn rename_in(holder: &mut Value, field: &str, from: &str, to: &str) {
    match holder.get_mut(field) {
        Some(Value::Array(names)) => {
            for name in names.iter_mut().filter(|name| *name == from) {
                *name = json!(to);
            }
        }
        Some(name) if *name == from => *name = json!(to),
        _ => {}
    }
}

/// Puts the entry of a map under another name.
pub fn rename_key(map: &mut Value, from: &str, to: &str) {
    if let Some(map) = map.as_object_mut()
        && let Some(value) = map.remove(from)
    {
        map.insert(to.to_owned(), value);
    }
}
