//! Names that only one of two catalogues knows.

use std::collections::BTreeSet;

use super::{NameChange, NameKind, Presence};
use crate::catalogue::{Catalogue, Form};

/// Returns the names that only one of two catalogues knows, sorted.
pub(super) fn changes(before: &Catalogue, after: &Catalogue) -> Vec<NameChange> {
    let (old, new) = (names(before), names(after));
    let gone = old.difference(&new).map(|name| (name, Presence::Gone));
    let fresh = new.difference(&old).map(|name| (name, Presence::New));
    let mut changes: Vec<NameChange> = gone
        .chain(fresh)
        .map(|((kind, name), presence)| NameChange { kind: *kind, name: name.clone(), presence })
        .collect();
    changes.sort_unstable_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    changes
}

/// Returns the names that a question can use, and the answers for unknown users: the
/// lowest level of a graded permission, and the default of a setting.
fn names(catalogue: &Catalogue) -> BTreeSet<(NameKind, String)> {
    let mut names = BTreeSet::new();
    for node in catalogue.nodes.values() {
        let path = &node.path;
        match &node.form {
            Form::Heading => continue,
            Form::Graded(levels) => {
                names.extend(
                    levels.first().map(|level| (NameKind::LowestLevel, format!("{path}:{level}"))),
                );
                let above = levels.iter().skip(1);
                names.extend(above.map(|level| (NameKind::Permission, format!("{path}:{level}"))));
            }
            _ => {}
        }
        names.insert((NameKind::Permission, path.to_string()));
    }
    for (kind, declared) in &catalogue.kinds {
        names.insert((NameKind::Object, kind.to_string()));
        let relations = declared.relations.keys();
        names.extend(relations.map(|name| (NameKind::Relation, format!("{kind}.{name}"))));
        let attributes = declared.attributes.keys();
        names.extend(attributes.map(|name| (NameKind::Attribute, format!("{kind}.{name}"))));
    }
    for (setting, declared) in &catalogue.settings {
        names.insert((NameKind::Setting, setting.to_string()));
        if let Some(default) = &declared.default {
            names.insert((NameKind::Default, format!("{setting} = {default}")));
        }
    }
    names
}
