//! What prevents a change that could otherwise be made: who asks for it, and what
//! it would result in.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::attempt::{Attempt, Touched};
use super::{By, Rule};
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Bit, Catalogue, Form, NodeId};
use crate::document::{Bound, BoundType, Fence};
use crate::engine::Layers;
use crate::ids::SourceId;
use crate::policy::{Class, ClassId, Difference, Inner, Source};
use crate::problem::quoted;

/// Refuses what the actor may not do.
pub(super) fn permit(attempt: &mut Attempt<'_>) {
    let By::Actor(name) = attempt.by else { return };
    let old = attempt.old;
    let Some((_, actor)) = old.users.find(name).and_then(|slot| old.users.get(slot)) else {
        return attempt.refuse(Rule::NotPermitted, format!("unknown actor `{name}`"));
    };
    if actor.suspended {
        attempt.refuse(Rule::NotPermitted, format!("`{name}` is suspended"));
    }
    let admin = is_active_admin(actor);
    let licensed = old.catalogue.licensed(|feature| old.is_licensed(feature));
    let held = Holdings::new(old, &licensed).of(actor);
    let may = |kind: &str| match old.governance.permissions.get(kind) {
        None => admin,
        Some(names) => names
            .iter()
            .all(|name| old.catalogue.threshold(name).is_ok_and(|bit| held.contains(bit))),
    };
    let held_by_actor = old.sources.closure(&actor.sources);
    let is_guarded = |source: SourceId| {
        let guard = old.sources[source].assignable_by.as_deref();
        guard.is_some_and(|guard| !admin && !held_by_actor.iter().any(|id| guard.contains(id)))
    };
    let kinds = std::mem::take(&mut attempt.kinds);
    if let Some(kind) = kinds.iter().find(|kind| !may(kind)) {
        let who = match old.governance.permissions.get(kind) {
            None => "only admins may".to_owned(),
            Some(names) => format!("it requires {}", quoted(names.iter().map(String::as_str))),
        };
        attempt.refuse(Rule::NotPermitted, format!("`{name}` may not `{kind}`: {who}"));
    }
    let without_right = |source: &&SourceId| {
        let Source { kind, assignable_by, .. } = &old.sources[**source];
        let may_assign = || may(&format!("assign_{}", kind.word()));
        assignable_by.is_some() && (is_guarded(**source) || !may_assign())
    };
    let guarded = attempt.guarded.iter().find(|source| is_guarded(**source));
    let refused = guarded.or_else(|| attempt.rights.iter().find(without_right));
    if let Some(&source) = refused {
        let source = old.sources.name_of(source);
        attempt.refuse(Rule::NotPermitted, format!("`{name}` may not assign {source}"));
    }
    if let (Some(what), false) = (attempt.admins_only.take(), admin) {
        attempt.refuse(Rule::NotPermitted, what);
    }
}

/// Refuses what the policy must not become.
pub(super) fn keep(attempt: &mut Attempt<'_>) {
    let (old, new) = (attempt.old, &attempt.new);
    let last = |policy: &Inner| policy.users.classes().any(|(_, class)| is_active_admin(class));
    if attempt.loses_admin && last(old) && !last(new) {
        attempt.refuse(Rule::LastAdmin, "the policy would lose its last active admin");
    }
    separation(attempt);
    escalation(attempt);
}

fn is_active_admin(user: &Class) -> bool {
    user.admin && !user.suspended
}

/// Users who are alike, before a change and after it.
struct Alike<'p> {
    before: Option<&'p Class>,
    after: &'p Class,
    /// Whether the name is new.
    fresh: bool,
    /// One of them, or their class.
    one: One,
}

#[derive(Clone, Copy)]
enum One {
    User(u32),
    OfClass(ClassId),
    Newcomer,
}

impl One {
    fn name(self, policy: &Inner) -> String {
        let slot = match self {
            One::User(slot) => Some(slot),
            One::OfClass(class) => policy.users.of_classes(|known| known == class).next(),
            One::Newcomer => None,
        };
        slot.map_or("a new user".to_owned(), |slot| format!("`{}`", policy.users.name(slot)))
    }
}

/// The users whose permissions a change may affect.
fn touched<'a>(attempt: &'a Attempt<'_>) -> Vec<Alike<'a>> {
    let (old, new) = (&attempt.old.users, &attempt.new.users);
    match &attempt.touched {
        Touched::Users(slots) => {
            let mut seen = HashSet::<(ClassId, ClassId, bool), RandomState>::default();
            let mut alike = Vec::new();
            for &slot in slots {
                let Some((_, after)) = new.get(slot) else { continue };
                let fresh = attempt.fresh == Some(slot);
                if seen.insert((old.class_of(slot), new.class_of(slot), fresh)) {
                    let before = old.get(slot).map(|(_, class)| class);
                    alike.push(Alike { before, after, fresh, one: One::User(slot) });
                }
            }
            alike
        }
        // Such a change leaves everybody in the same class.
        Touched::Everybody => {
            let difference = Difference::new(attempt.old, &attempt.new);
            let classes = new.classes().filter(|(_, class)| difference.touches(class));
            let alike = classes.map(|(id, after)| Alike {
                before: old.class(id),
                after,
                fresh: false,
                one: One::OfClass(id),
            });
            alike.collect()
        }
    }
}

fn separation(attempt: &mut Attempt<'_>) {
    let (old, new) = (attempt.old, &attempt.new);
    if old.governance.separation.is_empty() {
        return;
    }
    let catalogue = &old.catalogue;
    let licensed = |policy: &Inner| catalogue.licensed(|feature| policy.is_licensed(feature));
    let (licensed_before, licensed_after) = (licensed(old), licensed(new));
    let touched = touched(attempt);
    let mut before = Holdings::new(old, &licensed_before);
    let mut after = Holdings::new(new, &licensed_after);
    let mut refused = None;
    for &Alike { before: known, after: user, one, .. } in &touched {
        if user.admin {
            continue;
        }
        let held_after = after.of(user);
        let held_before = known.map(|user| before.of(user));
        for separation in &old.governance.separation {
            let bits = separation.permissions.iter();
            let bits: Vec<Bit> = bits.filter_map(|name| catalogue.threshold(name).ok()).collect();
            let count = |held: &BitSet| bits.iter().filter(|&&bit| held.contains(bit)).count();
            let now = held_before.as_ref().map_or(0, &count);
            let then = count(&held_after);
            if then > separation.at_most as usize && then > now {
                let (user, name) = (one.name(new), &separation.name);
                refused = refused.or(Some(format!(
                    "{user} would hold {then} of the permissions that separation `{name}` keeps apart"
                )));
            }
        }
    }
    if let Some(message) = refused {
        attempt.refuse(Rule::Separation, message);
    }
}

/// With `no_escalation`, nobody but an admin lets a user do what neither that user
/// nor the actor may.
fn escalation(attempt: &mut Attempt<'_>) {
    let (old, new) = (attempt.old, &attempt.new);
    let By::Actor(name) = attempt.by else { return };
    let Some(holder) = old.users.find(name).and_then(|slot| old.users.holder(slot)) else {
        return;
    };
    let actor = holder.class;
    if !old.governance.no_escalation || is_active_admin(actor) {
        return;
    }
    let mut refused = None;
    for group in &attempt.groups_named {
        if !old.groups.is_beneath(group, holder.groups) {
            refused = Some(format!("`{group}` is not one of the groups of `{name}`"));
        }
    }
    // One more user is compared, who holds the default profile and nothing else.
    let newcomer = |policy: &Inner| Class {
        sources: policy.default_profile.into_iter().collect(),
        ..Class::default()
    };
    let (newcomer_before, newcomer_after) = (newcomer(old), newcomer(new));
    let mut touched = touched(attempt);
    touched.push(Alike {
        before: Some(&newcomer_before),
        after: &newcomer_after,
        fresh: false,
        one: One::Newcomer,
    });
    let catalogue = &old.catalogue;
    let after_change = catalogue.licensed(|feature| new.is_licensed(feature));
    let every = catalogue.licensed(|_| true);
    for licensed in [&after_change, &every] {
        let mut before = Holdings::new(old, licensed);
        let mut after = Holdings::new(new, licensed);
        let actor = before.sight(actor);
        for &Alike { before: known, after: changed, fresh, one } in &touched {
            let known = known.filter(|_| !fresh).map(|user| before.sight(user));
            let changed = after.sight(changed);
            let may = |&id: &NodeId| {
                known.as_ref().is_some_and(|known| changed.within(known, id, catalogue))
                    || changed.within(&actor, id, catalogue)
            };
            let nodes = (0..)
                .zip(&catalogue.nodes)
                .filter(|(_, node)| node.form != Form::Heading && changed.held.contains(node.bit));
            let beyond = nodes.map(|(id, _)| id).find(|id| !may(id));
            if let Some(id) = beyond {
                let path = &catalogue.node(id).path;
                let user = one.name(new);
                refused = refused.or(Some(format!(
                    "{user} could do more with `{path}` than before, and more than `{name}` can"
                )));
            }
        }
    }
    if let Some(message) = refused {
        attempt.refuse(Rule::Escalation, message);
    }
}

/// What users of a policy hold under a licence.
struct Holdings<'p> {
    policy: &'p Inner,
    licensed: &'p BitSet,
    layers: Layers<'p>,
}

impl<'p> Holdings<'p> {
    fn new(policy: &'p Inner, licensed: &'p BitSet) -> Holdings<'p> {
        Holdings { policy, licensed, layers: Layers::new(policy, licensed) }
    }

    fn of(&mut self, user: &Class) -> BitSet {
        match user.suspended {
            true => BitSet::new(self.policy.catalogue.bits()),
            false => self.of_restored(user),
        }
    }

    /// What a user holds, suspension left aside.
    fn of_restored(&mut self, user: &Class) -> BitSet {
        if user.admin {
            return self.licensed.clone();
        }
        let granted = self.layers.grants(user).granted;
        self.layers.effective(&granted)
    }

    fn sight<'u>(&mut self, user: &'u Class) -> Sight<'u>
    where
        'p: 'u,
    {
        Sight { held: self.of_restored(user), user, policy: self.policy }
    }
}

/// What one user may do, suspension left aside.
struct Sight<'u> {
    held: BitSet,
    user: &'u Class,
    policy: &'u Inner,
}

impl Sight<'_> {
    /// Whether what this user may do with a permission is within what another may:
    /// its level and, of it and all that it answers to on the object, the effective
    /// scopes and the values that pass each check.
    fn within(&self, other: &Sight<'_>, id: NodeId, catalogue: &Catalogue) -> bool {
        let node = catalogue.node(id);
        if other.user.admin {
            return other.held.contains(node.bit);
        }
        if self.user.admin {
            return false;
        }
        let no_more = |bits: std::ops::Range<Bit>| {
            bits.into_iter().all(|bit| !self.held.contains(bit) || other.held.contains(bit))
        };
        if !no_more(node.bits()) {
            return false;
        }
        self.answers_to(id, catalogue).into_iter().all(|id| {
            let node = catalogue.node(id);
            // A single scope only occurs here as the permission itself.
            let scopes = match node.form {
                Form::Scoped(_) => node.statement_bits(),
                _ => 0..0,
            };
            let kind = node.kind.map(|kind| &*catalogue.kind(kind).checks);
            let mut checks = kind.unwrap_or_default().iter().chain(&node.checks);
            no_more(scopes)
                && checks.all(|&check| {
                    let form = catalogue.attribute_at(check).bound;
                    passes_no_more(form, &self.bounds(check), &other.bounds(check))
                })
        })
    }

    /// A permission and all that it answers to on the object, on the same kind.
    fn answers_to(&self, id: NodeId, catalogue: &Catalogue) -> Vec<NodeId> {
        let kind = catalogue.node(id).kind;
        if kind.is_none() {
            return Vec::new();
        }
        let mut seen = vec![];
        let mut found = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if seen.contains(&id) {
                continue;
            }
            seen.push(id);
            let node = catalogue.node(id);
            if node.kind == kind {
                found.push(id);
            }
            open.extend(node.gate);
            let scopes = catalogue.scopes(id);
            let scopes = scopes.filter(|&scope| self.held.contains(catalogue.node(scope).bit));
            let own = scopes.flat_map(|scope| catalogue.node(scope).requirements().0);
            let required = node.requires.iter().chain(own);
            let required = required.map(|&bit| catalogue.id_of(bit));
            // Nothing is followed beyond a single scope that is required.
            open.extend(required.filter(|&id| !matches!(catalogue.node(id).form, Form::Scope(..))));
        }
        found
    }

    /// The bounds that decide an attribute.
    fn bounds(&self, attribute: AttributeId) -> Vec<&Bound> {
        self.policy.bounds_of(self.user, attribute).map(|(_, bound)| bound).collect()
    }
}

/// Whether every value that passes one of some bounds passes one of others, on
/// every day.
fn passes_no_more(form: BoundType, some: &[&Bound], others: &[&Bound]) -> bool {
    if others.contains(&&Bound::Any) {
        return true;
    }
    // A missing value, or one of the wrong type, passes only "any".
    if some.contains(&&Bound::Any) {
        return false;
    }
    let limits = |bounds: &[&Bound]| -> Vec<i64> {
        let limits = bounds.iter().filter_map(|bound| match bound {
            Bound::Limit(limit) => Some(*limit),
            _ => None,
        });
        limits.collect()
    };
    match form {
        BoundType::OneOf => {
            let texts = |bounds: &[&Bound]| -> Vec<String> {
                let lists = bounds.iter().filter_map(|bound| match bound {
                    Bound::OneOf(texts) => Some(texts),
                    _ => None,
                });
                lists.flatten().cloned().collect()
            };
            let others = texts(others);
            texts(some).iter().all(|text| others.contains(text))
        }
        BoundType::AtMost => limits(some).iter().max() <= limits(others).iter().max(),
        BoundType::AtLeast => match (limits(some).iter().min(), limits(others).iter().min()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(some), Some(others)) => some >= others,
        },
        BoundType::NotBefore | BoundType::NotAfter => {
            // Every relative fence overtakes a fixed date some day, one way or the
            // other, and passes nothing if today is not given: so fixed fences are
            // compared with fixed ones, relative with relative.
            let within = |some: Vec<i64>, others: Vec<i64>| match form {
                _ if some.is_empty() => true,
                _ if others.is_empty() => false,
                BoundType::NotBefore => some.iter().min() >= others.iter().min(),
                _ => some.iter().max() <= others.iter().max(),
            };
            within(fixed(some), fixed(others))
                && (0..7).all(|day| within(relative(some, day), relative(others, day)))
        }
    }
}

/// The fixed fences, as days that can be compared.
fn fixed(bounds: &[&Bound]) -> Vec<i64> {
    let days = bounds.iter().filter_map(|bound| match bound {
        Bound::Fence(Fence::Date(date)) => Some(date.days()),
        _ => None,
    });
    days.collect()
}

/// The relative fences, in days from a today with that weekday (counted from
/// Monday).
#[expect(clippy::arithmetic_side_effects, reason = "of weekdays, from 0 to 6")]
fn relative(bounds: &[&Bound], today: i64) -> Vec<i64> {
    let days = bounds.iter().filter_map(|bound| match bound {
        Bound::Fence(Fence::PlusDays(days)) => Some(*days),
        Bound::Fence(Fence::Next { weekday, plus_days }) => {
            let first = (*weekday as i64 - today - 1).rem_euclid(7) + 1;
            Some(plus_days.saturating_add(first))
        }
        _ => None,
    });
    days.collect()
}
