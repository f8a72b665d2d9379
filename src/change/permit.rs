//! The rights that a change takes, and the users who have them (design, section 5).

use std::cell::OnceCell;

use super::ability::Scales;
use super::plan::{Acts, Requirements, Sparing};
use crate::catalogue::Bit;
use crate::date::Moment;
use crate::engine::Engine;
use crate::ids::{SourceId, UserSlot};
use crate::names::{HashMap, HashSet};
use crate::object::DynamicObject;
use crate::policy::{ChangeKind, Class, Holder, Inner, Likeness};
use crate::problem::quoted;

/// A user who asks for a change on some day.
pub(crate) struct Asking<'p> {
    policy: &'p Inner,
    pub(super) slot: UserSlot,
    pub(super) holder: Holder<'p>,
    /// An engine that knows the user, and the slot that the user has there.
    engine: OnceCell<(Engine, UserSlot)>,
    today: Option<Moment>,
    roles: OnceCell<HashSet<SourceId>>,
}

impl<'p> Asking<'p> {
    pub(crate) fn new(policy: &'p Inner, slot: UserSlot, today: Option<Moment>) -> Asking<'p> {
        let class = &policy.users[slot];
        let (name, groups) = (policy.users.name(slot), policy.users.groups(slot));
        let holder = Holder { name, label: None, class, groups };
        let (engine, roles) = (OnceCell::new(), OnceCell::new());
        Asking { policy, slot, holder, engine, today, roles }
    }

    /// The same, given an engine of the policy.
    pub(crate) fn in_engine(self, engine: &Engine) -> Asking<'p> {
        Asking { engine: OnceCell::from((engine.clone(), self.slot)), ..self }
    }

    fn engine(&self) -> (&Engine, UserSlot) {
        let (engine, place) = self.engine.get_or_init(|| Engine::of_user(self.policy, self.slot));
        (engine, *place)
    }

    /// Returns whether the user holds a permission: in the ordinary capacity, or in an
    /// assignment that is not limited to some objects and holds today.
    fn holds(&self, bit: Bit) -> bool {
        let (engine, place) = self.engine();
        engine.holds(place, bit, self.today)
    }

    /// Returns whether the user holds one of some roles, directly or by inclusion, in such a
    /// capacity.
    fn has_role(&self, roles: &[SourceId]) -> bool {
        let held = self.roles.get_or_init(|| {
            let users = &self.policy.users;
            let mut sources = self.holder.class.sources.to_vec();
            for assigned in users.assigned(self.slot) {
                let terms = &assigned.terms;
                let own = users.capacity(assigned.capacity).map(|it| &*it.own.sources);
                if terms.hold_on_day(self.today) && !terms.are_on_objects() {
                    sources.extend(own.into_iter().flatten());
                }
            }
            self.policy.sources.closure(&sources).into_iter().collect()
        });
        roles.iter().any(|role| held.contains(role))
    }

    fn satisfies(&self, source: SourceId) -> bool {
        let guard = self.policy.sources[source].assignable_by.as_deref();
        guard.is_none_or(|guard| self.has_role(guard))
    }

    /// Returns, for each source that is guarded so that the user may not assign it or includes
    /// such sources, the first of these.
    fn unmet_guards(&self) -> HashMap<SourceId, SourceId> {
        let sources = &self.policy.sources;
        let guarded = sources.iter().filter(|(.., source)| source.assignable_by.is_some());
        let unmet = guarded.map(|(id, ..)| id).filter(|&id| !self.satisfies(id));
        let mut first: HashMap<SourceId, SourceId> = unmet.map(|id| (id, id)).collect();
        for &role in sources.including() {
            let included = sources[role].includes.iter().find_map(|id| first.get(id).copied());
            if let Some(included) = included {
                first.entry(role).or_insert(included);
            }
        }
        first
    }

    /// Returns whether the user holds what spares an actor the comparisons of a change.
    pub(crate) fn is_spared(&self, requirements: &Requirements) -> bool {
        let governance = &self.policy.governance;
        let needs = requirements.spared_by.and_then(|by| match by {
            Sparing::Escalate => governance.escalate(),
            Sparing::Bind => governance.bind(),
        });
        needs.is_some_and(|needs| needs.iter().all(|&bit| self.holds(bit)))
    }

    /// Returns whether the user may make a kind of change, if it concerns users who are such
    /// objects.
    fn may(&self, kind: ChangeKind, concerned: Option<&[DynamicObject]>) -> bool {
        let Some(needs) = self.policy.governance.needs(kind) else { return false };
        let catalogue = &self.policy.catalogue;
        let (engine, place) = self.engine();
        needs.iter().all(|&bit| match concerned {
            Some(users) if catalogue.is_on_users(bit) => {
                users.iter().all(|user| engine.may_on(place, bit, user, self.today))
            }
            None if catalogue.is_on_users(bit) && catalogue.needs_object(bit) => false,
            _ => self.holds(bit),
        })
    }
}

impl Requirements {
    /// Returns whether users of a class who have no assignments could make the kinds of change,
    /// given the permissions that they hold.
    pub(crate) fn are_open_to(
        &self,
        class: &Class,
        policy: &Inner,
        holds: impl Fn(Bit) -> bool,
    ) -> bool {
        let may = |&kind: &ChangeKind| {
            let needs = policy.governance.needs(kind);
            needs.is_some_and(|needs| needs.iter().all(|&bit| holds(bit)))
        };
        !class.suspended && (class.admin || self.kinds.iter().all(may))
    }
}

/// The reason why a user may not ask for a change, put into words only if it is told:
/// every user may be asked about.
pub(crate) enum NotPermitted<'p> {
    Suspended,
    Kind(ChangeKind),
    Guarded(SourceId),
    Stating(&'p [SourceId]),
    /// A guarded source of a user whom the change concerns.
    Holder(UserSlot, SourceId),
    Superior(UserSlot),
    Early(Moment),
    AdminsOnly(&'p str),
}

impl NotPermitted<'_> {
    pub(super) fn message(self, policy: &Inner, name: &str) -> String {
        let listed = |roles: &[SourceId]| {
            if roles.is_empty() {
                return "only admins may".to_owned();
            }
            let names = roles.iter().map(|&role| policy.sources.name(role));
            format!("only holders of {} may", quoted(names))
        };
        let guard = |source: SourceId| {
            listed(policy.sources[source].assignable_by.as_deref().unwrap_or_default())
        };
        match self {
            NotPermitted::Suspended => format!("`{name}` is suspended"),
            NotPermitted::Kind(kind) => {
                let who = match policy.governance.needs(kind) {
                    None => "only admins may".to_owned(),
                    Some(needs) => {
                        let names = needs.iter().map(|&bit| policy.catalogue.name_of(bit));
                        let names: Vec<String> = names.collect();
                        let of_users = needs.iter().any(|&it| policy.catalogue.is_on_users(it));
                        let on = if of_users { " of every user concerned" } else { "" };
                        format!("it requires {}{on}", quoted(names.iter().map(String::as_str)))
                    }
                };
                format!("`{name}` may not `{}`: {who}", kind.code())
            }
            NotPermitted::Guarded(source) => {
                let who = guard(source);
                format!(
                    "`{name}` may not assign or change {}: {who}",
                    policy.sources.name_of(source)
                )
            }
            NotPermitted::Stating(roles) => {
                let who = listed(roles);
                format!("`{name}` may not state an `assignable_by` that leaves out `{name}`: {who}")
            }
            NotPermitted::Holder(slot, source) => {
                let (user, source_name) = (policy.users.name(slot), policy.sources.name_of(source));
                let who = guard(source);
                format!("`{name}` may not do this to `{user}`, who has {source_name}: {who}")
            }
            NotPermitted::Superior(slot) => {
                let user = policy.users.name(slot);
                format!("`{user}` is a superior of `{name}`, who may not do all that `{user}` may")
            }
            NotPermitted::Early(before) => {
                format!("`{name}` may only expire what ended before today, not before {before}")
            }
            NotPermitted::AdminsOnly(message) => message.to_owned(),
        }
    }
}

/// Checks that a user may ask for a change that requires this, and lets those whom it concerns
/// do less whom `does_less` accepts.
pub(crate) fn permit<'r>(
    asking: &Asking<'_>,
    requirements: &'r Requirements,
    scales: &mut Scales<'_>,
    does_less: &mut dyn FnMut(UserSlot, &mut Scales<'_>) -> bool,
) -> Result<(), NotPermitted<'r>> {
    let (old, class) = (asking.policy, asking.holder.class);
    if class.suspended {
        return Err(NotPermitted::Suspended);
    }
    if class.admin {
        return Ok(());
    }
    permit_kinds(asking, requirements)?;
    let is_guarded = |source: &&SourceId| old.sources[**source].assignable_by.is_some();
    let rights = || requirements.rights.iter().filter(is_guarded);
    let mut guarded = requirements.assigned.iter().chain(rights());
    if let Some(&source) = guarded.find(|&&source| !asking.satisfies(source)) {
        return Err(NotPermitted::Guarded(source));
    }
    let mut kinds = rights().map(|&id| ChangeKind::on(ChangeKind::ASSIGN, old.sources[id].kind));
    if let Some(kind) = kinds.find(|&kind| !asking.may(kind, None)) {
        return Err(NotPermitted::Kind(kind));
    }
    if let Some(roles) = requirements.stated.iter().find(|roles| !asking.has_role(roles)) {
        return Err(NotPermitted::Stating(roles));
    }
    if let Some(message) = &requirements.admins_only {
        return Err(NotPermitted::AdminsOnly(message));
    }
    if let Some(before) = requirements.before {
        let (begin, today) = (before.seconds().start, asking.today.map(Moment::seconds));
        if today.is_none_or(|today| begin > today.start) {
            return Err(NotPermitted::Early(before));
        }
    }
    permit_on_users(asking, requirements, scales, does_less)
}

/// Checks the kinds of change.
fn permit_kinds<'r>(
    asking: &Asking<'_>,
    requirements: &Requirements,
) -> Result<(), NotPermitted<'r>> {
    let concerned = requirements.users(asking.policy);
    for &kind in &requirements.kinds {
        let concerned = concerned.as_deref().filter(|_| kind.concerns_users());
        if !asking.may(kind, concerned) {
            return Err(NotPermitted::Kind(kind));
        }
    }
    Ok(())
}

/// Checks that neither a superior nor somebody who holds a guarded source is acted on.
fn permit_on_users<'r>(
    asking: &Asking<'_>,
    requirements: &Requirements,
    scales: &mut Scales<'_>,
    does_less: &mut dyn FnMut(UserSlot, &mut Scales<'_>) -> bool,
) -> Result<(), NotPermitted<'r>> {
    let old = asking.policy;
    let unmet = asking.unmet_guards();
    let mut of_actor = None;
    // There may be many users, most of whom are alike.
    let mut superior: HashMap<Likeness, bool> = HashMap::default();
    for &slot in &requirements.concerned {
        let guarded = old.sources_given(slot).find_map(|source| unmet.get(&source));
        if let Some(&source) = guarded
            && (requirements.acts == Acts::Displaces || does_less(slot, scales))
        {
            return Err(NotPermitted::Holder(slot, source));
        }
        if !old.governance.protects_superiors() || slot == asking.slot {
            continue;
        }
        if requirements.acts != Acts::Otherwise || does_less(slot, scales) {
            let is_superior = superior.entry(old.users.likeness(slot)).or_insert_with(|| {
                let one = scales.of(slot);
                let actor = &*of_actor.get_or_insert_with(|| scales.of(asking.slot));
                !scales.are_within(&one, actor)
            });
            if *is_superior {
                return Err(NotPermitted::Superior(slot));
            }
        }
    }
    Ok(())
}

impl Requirements {
    /// Returns the users whom the change concerns, as objects: before it and, if it gives a
    /// user other groups or adds one, after it. `None` if it concerns nobody.
    fn users(&self, policy: &Inner) -> Option<Vec<DynamicObject>> {
        let kind = policy.catalogue.users_kind()?;
        let object = |name: &str, groups: &mut dyn Iterator<Item = &str>| {
            let object = DynamicObject::new(kind).with_relation("self", [name]);
            object.with_relation("group", groups.collect::<Vec<_>>())
        };
        let before = self.concerned.iter().map(|&slot| {
            let mut groups = policy.users.groups(slot).iter().map(|&id| policy.groups.name(id));
            object(policy.users.name(slot), &mut groups)
        });
        let settled = self
            .settled
            .as_ref()
            .map(|(name, groups)| object(name, &mut groups.iter().map(String::as_str)));
        let users: Vec<DynamicObject> = before.chain(settled).collect();
        (self.concerns_unknown || !users.is_empty()).then_some(users)
    }
}

impl Inner {
    /// Returns the sources that a user holds in any capacity, what they include left aside.
    fn sources_given(&self, slot: UserSlot) -> impl Iterator<Item = SourceId> {
        let class = self.users.get(slot).map(|(_, class)| class);
        let own = self.users.own_sources(slot).flat_map(|(_, own)| &own.sources);
        class.into_iter().flat_map(|class| &class.sources).chain(own).copied()
    }
}
