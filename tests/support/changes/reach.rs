//! `no_escalation`: what users may do, compared.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use grantree::Document;
use grantree::SourceName;
use grantree::change::Rule;
use grantree::document::{
    Accepted, Bound, BoundType, Fence, Licence, RelationType, Statements, UserEntry,
};

use super::super::oracle::{Catalogue, Form, Holder, Oracle};
use super::actor::is_active_admin;
use super::source::{find, find_mut, sources, with_included};
use super::{Attempt, Given};

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
        // "Only an admin renames a user … and changes the licence."
        if self.escalates {
            return self.refuse(Rule::Escalation);
        }
        // "`set_groups`, `add_user` and `set_group` name only the actor's groups
        // or groups beneath them."
        let foreign = self.groups_named.iter().any(|group| !is_beneath(self.old, group, asking));
        let ones = self.one_more();
        let gained = self.licences().iter().any(|licence| {
            let (before, after) = (seen(self.old, licence), seen(&self.new, licence));
            let (before, after) = (Compared::new(before, &ones, 0), Compared::new(after, &ones, 1));
            let (before, after) = (before.oracles(), after.oracles());
            let mut users =
                self.new.users.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
            users.push(NEXT_NEWCOMER.to_owned());
            users.extend((0..ones.len()).map(one_more_name));
            users.iter().any(|user| {
                // "A new user had nothing."
                let known = self.newcomer.as_ref() != Some(user);
                let former = before.each_ref().map(|oracle| oracle.holder(user).filter(|_| known));
                let actor =
                    before.each_ref().map(|oracle| oracle.holder(actor).expect("the actor"));
                let user = after.each_ref().map(|oracle| oracle.holder(user).expect("a user"));
                gains(&after[0], user, former, actor)
            })
        });
        let oracle = Oracle::new(self.old);
        let actor = oracle.holder(actor).expect("the actor");
        let widened = ones.iter().any(|one| self.states_more(one, actor));
        self.refuse_if(foreign || gained || widened, Rule::Escalation);
    }

    /// "Under the licence after the change and under one that has every feature."
    fn licences(&self) -> Vec<Licence> {
        let every = Licence { features: features(self.old), ..Licence::default() };
        vec![every, self.new.licence.clone()]
    }

    /// Whether a change "lets that user do less".
    pub(super) fn does_less(&self, name: &str) -> bool {
        self.licences().iter().any(|licence| {
            let (before, after) = (seen(self.old, licence), seen(&self.new, licence));
            let (before, after) = (Oracle::new(&before), Oracle::new(&after));
            let Some(former) = before.holder(name) else { return false };
            let renamed = self.renamed.as_ref().filter(|(from, _)| from == name);
            let now = renamed.map_or(name, |(_, to)| to.as_str());
            let Some(user) = after.holder(now) else { return true };
            let catalogue = before.catalogue();
            paths(catalogue).any(|path| {
                level(catalogue, former, path) > 0 && !is_within(&before, path, former, user)
            })
        })
    }

    /// "For each, one more user, who holds it and nothing else (but that user's groups, where
    /// it is given to one)": before, "what is new, or was not held, counts as empty", and after.
    fn one_more(&self) -> Vec<OneMore> {
        let mut ones = Vec::new();
        let mut edited = Vec::new();
        for given in &self.given {
            match given {
                Given::Source(source) => edited.push(source.clone()),
                Given::To(user, source) => {
                    let groups = |document: &Document| UserEntry {
                        groups: document
                            .users
                            .get(user)
                            .map_or_else(Vec::new, |it| it.groups.clone()),
                        ..UserEntry::default()
                    };
                    let after = holding(source, groups(&self.new));
                    let stated = [Vec::new(), stated_by(&self.new, source)];
                    ones.push(OneMore { entries: [groups(self.old), after], stated });
                }
                Given::Own(user) => {
                    let own = |document: &Document| {
                        let user = document.users.get(user).cloned().unwrap_or_default();
                        UserEntry {
                            groups: user.groups,
                            statements: user.statements,
                            ..UserEntry::default()
                        }
                    };
                    let entries = [own(self.old), own(&self.new)];
                    let stated = entries.each_ref().map(|it| vec![it.statements.clone()]);
                    ones.push(OneMore { entries, stated });
                }
            }
        }
        // "Each role that includes one of these."
        for (name, _) in self.new.roles.iter() {
            let role = SourceName::Role(name.to_owned());
            let included = with_included(&self.new, &role);
            if !edited.contains(&role) && included.iter().any(|it| edited.contains(it)) {
                edited.push(role);
            }
        }
        for source in &edited {
            let of = |document: &Document| match find(document, source) {
                Some(_) => holding(source, UserEntry::default()),
                None => UserEntry::default(),
            };
            let entries = [of(self.old), of(&self.new)];
            let stated = [stated_by(self.old, source), stated_by(&self.new, source)];
            ones.push(OneMore { entries, stated });
        }
        ones
    }

    /// "Each bound that it … states after lies within those that it and these stated before,
    /// joined as in rule 8, or within the actor's."
    fn states_more(&self, one: &OneMore, actor: &Holder<'_>) -> bool {
        let oracle = Oracle::new(self.old);
        let [before, after] = &one.stated;
        after.iter().flat_map(|it| it.bounds.iter()).any(|(name, bound)| {
            let (kind, attribute) = name.split_once('.').expect("a kind and an attribute");
            let form = oracle.bound_type(kind, attribute);
            let known: Vec<&Bound> = before.iter().filter_map(|it| it.bounds.get(name)).collect();
            let passes = |others: &[&Bound]| passes_no_more(&[bound], others, form);
            !passes(&known) && !passes(&actor.bounds(kind, attribute))
        })
    }
}

/// A user who is compared for something that is given, before and after, and what this and
/// all that it includes states.
struct OneMore {
    entries: [UserEntry; 2],
    stated: [Vec<Statements>; 2],
}

/// A name that no user can have.
fn one_more_name(at: usize) -> String {
    format!("\u{0}{at}")
}

fn holding(source: &SourceName, mut user: UserEntry) -> UserEntry {
    match source.clone() {
        SourceName::Profile(name) => user.profile = Some(name),
        SourceName::Role(name) => user.roles.push(name),
        SourceName::ApprovalGroup(name) => user.approval_groups.push(name),
        SourceName::Global | SourceName::User(_) => {}
    }
    user
}

fn stated_by(document: &Document, source: &SourceName) -> Vec<Statements> {
    if *source == SourceName::Global {
        return vec![document.global.clone()];
    }
    let included = with_included(document, source);
    included.iter().filter_map(|it| find(document, it)).map(|it| it.statements.clone()).collect()
}

/// A document with those who are compared besides, and the same without forbids.
struct Compared([Document; 2]);

impl Compared {
    fn new(mut document: Document, ones: &[OneMore], side: usize) -> Compared {
        for (at, one) in ones.iter().enumerate() {
            document.users.push(one_more_name(at), one.entries[side].clone());
        }
        let mut unforbidden = document.clone();
        unforbidden.global.forbid.clear();
        for source in sources(&document) {
            let body = find_mut(&mut unforbidden, &source).expect("a source");
            body.statements.forbid.clear();
        }
        for (name, _) in document.users.iter() {
            let user = unforbidden.users.get_mut(name).expect("a user");
            user.statements.forbid.clear();
        }
        Compared([document, unforbidden])
    }

    fn oracles(&self) -> [Oracle<'_>; 2] {
        self.0.each_ref().map(Oracle::new)
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
/// else within what the actor has". Of each, the second is without forbids.
fn gains(
    oracle: &Oracle<'_>,
    [user, unforbidden]: [&Holder<'_>; 2],
    [former, unforbidden_former]: [Option<&Holder<'_>>; 2],
    [actor, _]: [&Holder<'_>; 2],
) -> bool {
    let catalogue = oracle.catalogue();
    paths(catalogue).any(|path| {
        if level(catalogue, user, path) > 0 {
            return !former.is_some_and(|former| is_within(oracle, path, user, former))
                && !is_within(oracle, path, user, actor);
        }
        // "What is only granted after the change …, forbids left aside before as after, was
        // granted to the user before at that level, or is something that the actor may do."
        let granted = |holder: &Holder<'_>| holder.granted.get(path).copied().unwrap_or_default();
        let now = granted(unforbidden);
        now > unforbidden_former.map_or(0, granted) && now > level(catalogue, actor, path)
    })
}

fn paths<'c>(catalogue: &'c Catalogue<'_>) -> impl Iterator<Item = &'c str> {
    let permissions = catalogue.nodes().filter(|(_, node)| node.form != Form::Heading);
    permissions.map(|(path, _)| path)
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
        let scopes = effective_scopes(catalogue, user, &path);
        scopes.is_subset(&effective_scopes(catalogue, other, &path))
            && scopes.iter().all(|scope| reaches_no_more(oracle, scope, user, other))
            && node.checks.iter().all(|attribute| {
                let (some, others) = (user.bounds(kind, attribute), other.bounds(kind, attribute));
                passes_no_more(&some, &others, oracle.bound_type(kind, attribute))
            })
    })
}

/// "Where one of those scopes looks at a relation to groups, the groups are compared too: for
/// a scope that accepts `me` of it, the user's groups and all beneath them are among those of
/// the one compared with; for one that accepts `other` or `none`, the other way round."
fn reaches_no_more(
    oracle: &Oracle<'_>,
    scope: &str,
    user: &Holder<'_>,
    other: &Holder<'_>,
) -> bool {
    let node = oracle.catalogue().node(scope);
    let kind = node.kind.expect("a scope is on an object");
    node.when.into_iter().flat_map(grantree::document::Map::iter).all(|(name, accepted)| {
        let of_groups = oracle.relation_type(kind, name) == Some(RelationType::Group);
        let accepts = |state: &str| match accepted {
            Accepted::State(known) => known == state,
            Accepted::OneOf(states) => states.iter().any(|known| known == state),
            _ => false,
        };
        let by_others = accepts("other") || accepts("none");
        !of_groups
            || (!accepts("me") || user.groups.is_subset(&other.groups))
                && (!by_others || other.groups.is_subset(&user.groups))
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
