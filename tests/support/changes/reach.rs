//! `no_escalation`: what users may do, compared.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use grantree::Document;
use grantree::change::Rule;
use grantree::document::{Bound, BoundType, Fence, Licence, UserEntry};

use super::super::oracle::{Catalogue, Form, Holder, Oracle};
use super::Attempt;
use super::actor::is_active_admin;

/// "One more user is compared, who holds the default profile and nothing else":
/// by a name that no user can have.
const NEXT_NEWCOMER: &str = "";

impl Attempt<'_> {
    /// "No change by anyone but an admin lets any user do what neither that user
    /// before nor the actor may."
    pub(super) fn keep_from_escalation(&mut self, actor: &str) {
        let asking = self.old.users.get(actor).expect("a permitted actor");
        if !self.old.governance.no_escalation || is_active_admin(asking) {
            return;
        }
        // "`set_groups`, `add_user` and `set_group` name only the actor's groups
        // or groups beneath them."
        let foreign = self.groups_named.iter().any(|group| !is_beneath(self.old, group, asking));
        let every = Licence { features: features(self.old), ..Licence::default() };
        let mut licences = vec![&every];
        if !every.features.is_empty() {
            licences.push(&self.new.licence);
        }
        let gained = licences.into_iter().any(|licence| {
            let (before, after) = (seen(self.old, licence), seen(&self.new, licence));
            let (before, after) = (Oracle::new(&before), Oracle::new(&after));
            let mut users = self.new.users.iter().map(|(name, _)| name).chain([NEXT_NEWCOMER]);
            users.any(|user| {
                // "A new or renamed user had nothing."
                let known = self.newcomer.as_deref() != Some(user);
                let former = before.holder(user).filter(|_| known);
                let actor = before.holder(actor).expect("the actor");
                let user = after.holder(user).expect("a user");
                gains(&after, user, former, actor)
            })
        });
        self.refuse_if(foreign || gained, Rule::Escalation);
    }
}

/// Whether a group is one of a user's, or beneath one of them.
fn is_beneath(document: &Document, group: &str, user: &UserEntry) -> bool {
    let mut next = Some(group);
    while let Some(group) = next {
        if user.groups.iter().any(|known| known == group) {
            return true;
        }
        next = document.groups.get(group).and_then(|group| group.parent.as_deref());
    }
    false
}

/// All features that a permission needs.
pub fn features(document: &Document) -> Vec<String> {
    let catalogue = Catalogue::new(document);
    let features: BTreeSet<&str> = catalogue.nodes().filter_map(|(_, node)| node.feature).collect();
    features.into_iter().map(str::to_owned).collect()
}

/// A document as it is compared: "suspension left aside", and under a licence.
pub fn seen(document: &Document, licence: &Licence) -> Document {
    let mut seen = document.clone();
    seen.licence = licence.clone();
    let restored = |user: &UserEntry| UserEntry { suspended: false, ..user.clone() };
    seen.users = document.users.iter().map(|(name, user)| (name, restored(user))).collect();
    let profile = document.default_profile.clone();
    seen.users.push(NEXT_NEWCOMER, UserEntry { profile, ..UserEntry::default() });
    seen
}

/// Whether some permission is "within [neither] what the user had before, or
/// else within what the actor has".
fn gains(
    oracle: &Oracle<'_>,
    user: &Holder<'_>,
    former: Option<&Holder<'_>>,
    actor: &Holder<'_>,
) -> bool {
    let catalogue = oracle.catalogue();
    let permissions = catalogue.nodes().filter(|(_, node)| node.form != Form::Heading);
    permissions.map(|(path, _)| path).any(|path| {
        level(catalogue, user, path) > 0
            && !former.is_some_and(|former| is_within(oracle, path, user, former))
            && !is_within(oracle, path, user, actor)
    })
}

/// The level at which a permission is effective; 0 where it is not.
pub fn level(catalogue: &Catalogue<'_>, holder: &Holder<'_>, path: &str) -> usize {
    match catalogue.node(path).form {
        Form::Scoped => usize::from(!effective_scopes(catalogue, holder, path).is_empty()),
        _ => holder.effective.get(path).copied().unwrap_or_default(),
    }
}

/// The effective scopes of a scoped node, or a scope itself.
pub fn effective_scopes<'c>(
    catalogue: &'c Catalogue<'_>,
    holder: &Holder<'_>,
    path: &'c str,
) -> BTreeSet<&'c str> {
    let scopes: Vec<&str> = match catalogue.node(path).form {
        Form::Scoped => catalogue.scopes(path).collect(),
        Form::Scope => vec![path],
        _ => Vec::new(),
    };
    scopes.into_iter().filter(|scope| holder.effective.contains_key(*scope)).collect()
}

/// "Compared …: its level and, of it and all that it answers to on the object,
/// the effective scopes and the values that pass each check, taken together."
/// An admin holds all that is licensed, and the object is not looked at.
fn is_within(oracle: &Oracle<'_>, path: &str, user: &Holder<'_>, other: &Holder<'_>) -> bool {
    let catalogue = oracle.catalogue();
    if level(catalogue, user, path) > level(catalogue, other, path) {
        return false;
    }
    if other.user.admin || user.user.admin {
        return other.user.admin;
    }
    answers_to(catalogue, user, path).into_iter().all(|path| {
        let node = catalogue.node(&path);
        let kind = node.kind.expect("what answers on an object");
        effective_scopes(catalogue, user, &path)
            .is_subset(&effective_scopes(catalogue, other, &path))
            && node.checks.iter().all(|attribute| {
                let (some, others) = (user.bounds(kind, attribute), other.bounds(kind, attribute));
                passes_no_more(&some, &others, oracle.bound_type(kind, attribute))
            })
    })
}

/// Rule 7: a permission and what it answers to on an object of its kind, for a
/// user: what a scope requires counts where the scope is effective.
fn answers_to(catalogue: &Catalogue<'_>, user: &Holder<'_>, path: &str) -> BTreeSet<String> {
    let Some(kind) = catalogue.node(path).kind else { return BTreeSet::new() };
    let mut followed = vec![path.to_owned()];
    let mut at = 0;
    while let Some(path) = followed.get(at).cloned() {
        let mut gates = catalogue.node_gates(&path);
        for scope in effective_scopes(catalogue, user, &path) {
            gates.extend(catalogue.own_requires(scope));
        }
        for gate in gates {
            // "(A single scope …; nothing is followed beyond it.)"
            let is_scope = catalogue.node(&gate.path).form == Form::Scope;
            if !is_scope && !followed.contains(&gate.path) {
                followed.push(gate.path);
            }
        }
        at += 1;
    }
    followed.retain(|path| catalogue.node(path).kind == Some(kind));
    followed.into_iter().collect()
}

/// Whether every value that passes one of some bounds passes one of others, on
/// whatever day.
fn passes_no_more(some: &[&Bound], others: &[&Bound], form: BoundType) -> bool {
    // What is missing or of the wrong type passes "any" alone.
    if others.contains(&&Bound::Any) {
        return true;
    }
    if some.contains(&&Bound::Any) {
        return false;
    }
    // The greater, the more passes; nothing passes where there is none.
    match form {
        BoundType::OneOf => texts(some).is_subset(&texts(others)),
        BoundType::AtMost => limits(some).max() <= limits(others).max(),
        BoundType::AtLeast => limits(some).map(Reverse).max() <= limits(others).map(Reverse).max(),
        // Whatever the fixed date, some day every relative one is before it, and
        // some day behind; and without a today the relative one passes nothing.
        // So they are compared among themselves, for each day of a week.
        BoundType::NotBefore => (0..8).all(|day| {
            fences(some, day).map(Reverse).max() <= fences(others, day).map(Reverse).max()
        }),
        BoundType::NotAfter => {
            (0..8).all(|day| fences(some, day).max() <= fences(others, day).max())
        }
        BoundType::Flag => flags(some).is_subset(&flags(others)),
    }
}

fn flags(bounds: &[&Bound]) -> BTreeSet<bool> {
    let accepted = |bound: &&Bound| match bound {
        Bound::Flag(flag) => vec![*flag],
        Bound::EitherFlag => vec![false, true],
        _ => vec![],
    };
    bounds.iter().flat_map(accepted).collect()
}

fn texts<'b>(bounds: &[&'b Bound]) -> BTreeSet<&'b str> {
    let lists = bounds.iter().filter_map(|bound| match bound {
        Bound::OneOf(texts) => Some(texts),
        _ => None,
    });
    lists.flatten().map(String::as_str).collect()
}

fn limits(bounds: &[&Bound]) -> impl Iterator<Item = i64> {
    bounds.iter().filter_map(|bound| match bound {
        Bound::Limit(limit) => Some(*limit),
        _ => None,
    })
}

/// Seen on a weekday, from Monday: the days from then to the relative fences.
/// On the eighth day: the fixed ones, in a number that grows with the date.
fn fences(bounds: &[&Bound], today: i64) -> impl Iterator<Item = i64> {
    bounds.iter().filter_map(move |bound| match bound {
        Bound::Fence(Fence::Date(date)) if today == 7 => {
            Some(date.to_string().replace('-', "").parse().expect("digits"))
        }
        Bound::Fence(Fence::PlusDays(days)) if today < 7 => Some(*days),
        Bound::Fence(Fence::Next { weekday, plus_days }) if today < 7 => {
            let mut coming = today + 1..=today + 7;
            let first = coming.find(|day| day % 7 == *weekday as i64).expect("in a week");
            Some(first - today + plus_days)
        }
        _ => None,
    })
}
