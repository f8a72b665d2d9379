//! Stored documents under catalogues that have changed since.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use fastrand::Rng;
use grantree::Document;
use grantree::Policy;
use grantree::document::{BoundType, Map, PermissionNode};
use serde_json::Value;

use super::case::value;
use super::oracle::catalogue::{Catalogue, Form};
use super::prune::prune;

/// A few documents, each with something of the catalogue gone or changed, or with a
/// source gone that others may name; the catalogue has no problems.
pub fn eroded(document: &Document) -> Vec<Document> {
    let text = serde_json::to_string(document).expect("a document serializes");
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let mut rng = Rng::with_seed(hasher.finish());
    let mut all = Vec::new();
    for _ in 0..6 {
        let mut eroded = document.clone();
        for _ in 0..rng.usize(1..=3) {
            erode(&mut eroded, &mut rng);
        }
        heal(&mut eroded);
        let bare = Document { catalogue: eroded.catalogue.clone(), ..Document::default() };
        if Policy::try_from(bare).is_ok() {
            all.push(eroded);
        }
    }
    all
}

fn erode(document: &mut Document, rng: &mut Rng) {
    let catalogue = &mut document.catalogue;
    match rng.usize(..10) {
        0..=2 => {
            let count = count(&catalogue.permissions);
            if count > 0 {
                drop_permission(&mut catalogue.permissions, &mut rng.usize(..count));
            }
        }
        3 => each(&mut catalogue.permissions, &mut |permission| {
            let levels = permission.levels.as_mut().filter(|levels| levels.len() > 2);
            if let (Some(levels), true) = (levels, rng.bool()) {
                levels.remove(rng.usize(..levels.len()));
            }
        }),
        4 => each(&mut catalogue.permissions, &mut |permission| {
            if !permission.scopes.is_empty() && rng.bool() {
                permission.scopes.remove(rng.usize(..permission.scopes.len()));
            }
        }),
        5 => each(&mut catalogue.permissions, &mut |permission| {
            if rng.usize(..4) == 0 {
                let PermissionNode { key, label, feature, children, .. } =
                    std::mem::take(permission);
                let heading = true;
                *permission = PermissionNode {
                    key,
                    label,
                    feature,
                    children,
                    heading,
                    ..PermissionNode::default()
                };
            }
        }),
        6 => {
            catalogue.objects = std::mem::take(&mut catalogue.objects)
                .into_iter()
                .map(|(name, mut kind)| {
                    kind.attributes = some_otherwise(kind.attributes, rng, |bound| {
                        *bound = match bound {
                            BoundType::OneOf => BoundType::AtMost,
                            BoundType::Flag => BoundType::OneOf,
                            BoundType::AtMost | BoundType::AtLeast => BoundType::NotAfter,
                            BoundType::NotBefore | BoundType::NotAfter => BoundType::Flag,
                        };
                    });
                    (name, kind)
                })
                .collect();
        }
        7 => {
            catalogue.settings =
                some_otherwise(std::mem::take(&mut catalogue.settings), rng, |setting| {
                    setting.default = None;
                    if let Some(values) = &mut setting.values {
                        values.pop();
                    }
                });
        }
        8 => {
            let editions = std::mem::take(&mut catalogue.editions);
            catalogue.editions = some_otherwise(editions, rng, |_| {});
        }
        _ => {
            document.profiles = some_otherwise(std::mem::take(&mut document.profiles), rng, |_| {});
            document.roles = some_otherwise(std::mem::take(&mut document.roles), rng, |_| {});
            let groups = std::mem::take(&mut document.approval_groups);
            document.approval_groups = some_otherwise(groups, rng, |_| {});
        }
    }
}

/// Some entries gone, and some changed.
fn some_otherwise<V>(map: Map<V>, rng: &mut Rng, change: impl Fn(&mut V)) -> Map<V> {
    let mut out = Map::default();
    for (name, mut value) in map {
        match rng.usize(..3) {
            0 => continue,
            1 => change(&mut value),
            _ => {}
        }
        out.push(name, value);
    }
    out
}

fn count(permissions: &[PermissionNode]) -> usize {
    permissions.iter().map(|permission| 1 + count(&permission.children)).sum()
}

/// Drops a permission and all beneath it, by its number.
fn drop_permission(permissions: &mut Vec<PermissionNode>, at: &mut usize) -> bool {
    for index in 0..permissions.len() {
        if *at == 0 {
            permissions.remove(index);
            return true;
        }
        *at -= 1;
        if drop_permission(&mut permissions[index].children, at) {
            return true;
        }
    }
    false
}

/// Takes out of the catalogue what refers to something in it that is gone.
fn heal(document: &mut Document) {
    let editions: Vec<String> =
        document.catalogue.editions.iter().map(|(name, _)| name.to_owned()).collect();
    document.catalogue.editions = std::mem::take(&mut document.catalogue.editions)
        .into_iter()
        .map(|(name, mut edition)| {
            edition.includes.retain(|included| editions.contains(included));
            (name, edition)
        })
        .collect();
    document.catalogue.objects = std::mem::take(&mut document.catalogue.objects)
        .into_iter()
        .map(|(name, mut kind)| {
            let attributes = &kind.attributes;
            kind.checks.retain(|check| attributes.get(check).is_some());
            (name, kind)
        })
        .collect();
    // The oracle takes it for valid where it looks at no licence.
    let bare = Document { catalogue: document.catalogue.clone(), ..Document::default() };
    let known = Catalogue::new(&value(&bare));
    let kinds = &bare.catalogue.objects;
    heal_permissions(&mut document.catalogue.permissions, "", &mut |path, permission| {
        let fits = |name: &String| known.need(name).is_some();
        let implies = |name: &String| {
            let need = known.need(name);
            need.is_some_and(|need| known.node(&need.path).form != Form::Scoped)
        };
        permission.requires.retain(fits);
        permission.implies.retain(implies);
        for scope in &mut permission.scopes {
            scope.requires.retain(fits);
            scope.implies.retain(implies);
        }
        let kind = known.node(path).kind.as_deref().and_then(|kind| kinds.get(kind));
        permission
            .checks
            .retain(|check| kind.is_some_and(|kind| kind.attributes.get(check).is_some()));
    });
}

fn heal_permissions(
    permissions: &mut [PermissionNode],
    above: &str,
    heal: &mut impl FnMut(&str, &mut PermissionNode),
) {
    for permission in permissions {
        let path = match above {
            "" => permission.key.clone(),
            above => format!("{above}.{}", permission.key),
        };
        heal(&path, permission);
        heal_permissions(&mut permission.children, &path, heal);
    }
}

fn each(permissions: &mut [PermissionNode], change: &mut impl FnMut(&mut PermissionNode)) {
    for permission in permissions {
        change(permission);
        each(&mut permission.children, change);
    }
}

/// The document with its maps sorted, as JSON values keep them here.
pub fn sorted(document: &Document) -> Document {
    let value = serde_json::to_value(document).expect("a document serializes");
    serde_json::from_value(value).expect("a document reads back")
}

/// The document, sorted, without what is at these places; a kind of change that needs
/// something there goes as a whole.
pub fn without(document: &Document, places: &BTreeSet<&str>) -> Document {
    let mut document = serde_json::to_value(document).expect("a document serializes");
    let kinds = document.pointer_mut("/governance/permissions").and_then(Value::as_object_mut);
    if let Some(kinds) = kinds {
        kinds.retain(|kind, _| {
            let list = format!("governance.permissions.{kind}[");
            !places.iter().any(|place| place.starts_with(&list))
        });
    }
    prune(&mut document, "", places);
    serde_json::from_value(document).expect("a document reads back")
}
