//! What would turn a no into a yes.
//!
//! A mend is found by asking the walk what is in the way, removing that, and
//! asking again; then each part is left out in turn, to see whether it is
//! needed.

use std::cell::Cell;
use std::collections::HashSet;

use foldhash::fast::RandomState;
use serde::Serialize;

use super::walk::{Effect as Does, List, Supposed, Walk};
use super::{Effect, Named, SourceRef, Statement, named_bit, named_user};
use crate::catalogue::{AttributeId, Bit, Form, NodeId, Pattern};
use crate::date::Date;
use crate::document::{Bound, BoundType, Fence, RelationType};
use crate::engine::{Engine, Permission, User, fence_day};
use crate::object::{Object, Target, Value};
use crate::policy::{self, Holder, Inner, Origin};
use crate::reason::Reason;
use crate::relation::RelationState;

/// How many ways of mending are tried, and how many are reported.
const TRIED: usize = 64;
const TOLD: usize = 8;

/// How many steps a way may have.
const LONGEST: usize = 1_000;

/// How much may be spent on finding ways, and again on finding assignments, in
/// matches of a pattern against a permission. A few tenths of a second.
const EFFORT: usize = 1 << 24;
/// However much one look costs, there is enough for this many.
const LOOKS: usize = 16;

/// What would turn a denial into a yes.
///
/// It displays as text for people, and serializes.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {"allow": ["orders"]}},
/// #     "users": {"bob": {}, "root": {"admin": true}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let (bob, orders) = (engine.user("bob")?, engine.permission("orders")?);
/// let mends = engine.mends(bob, orders, ());
/// assert_eq!((mends.least.len(), mends.assignments.len()), (1, 1));
/// assert_eq!(mends.admins, ["root"]);
/// assert_eq!(engine.mends(engine.user("root")?, orders, ()), Default::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mends {
    /// The ways to mend it, those with the fewest parts first. Empty where none
    /// was found: the user is unknown, the object is missing or of another kind,
    /// or nothing that was tried sufficed.
    pub least: Vec<Mend>,
    /// Where grants are missing: the smallest combinations of profiles, roles and
    /// approval groups that would bring them. Those that take the fewest
    /// permissions away come first, then those that bring the fewest.
    pub assignments: Vec<Assignment>,
    /// The admins who may make all of these assignments, sorted; empty where there are no
    /// assignments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub admins: Vec<String>,
}

/// One way to mend a denial.
///
/// Each of its parts is needed, unless the search reached its bound.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "users": {"bob": {}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let mends = engine.mends(engine.user("bob")?, engine.permission("orders.export")?, ());
/// // Both are needed: one to export, the other to see what is above it.
/// assert_eq!(mends.least[0].parts.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Mend {
    /// What to do.
    pub parts: Vec<Part>,
}

/// A part of a mend.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"trainee": {"forbid": ["orders"]}},
/// #     "users": {"bob": {"roles": ["trainee"], "allow": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::explain::Part;
///
/// let mends = engine.mends(engine.user("bob")?, engine.permission("orders")?, ());
/// let Part::Lift(statement) = &mends.least[0].parts[0] else { panic!("{mends}") };
/// assert_eq!(statement.place, "roles.trainee.forbid[0]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// End the suspension of this user.
    Restore(Named),
    /// License this feature.
    License(String),
    /// Allow the user this permission or level, in the user's own statements and
    /// in place of all that they say of exactly it.
    Allow(Named),
    /// Take this statement, which denies or forbids, out of its source.
    Lift(Statement),
    /// Set the user's own bound on this attribute.
    Widen {
        /// The attribute, as `kind.attribute`.
        attribute: String,
        /// The form of its bounds.
        form: BoundType,
        /// The bound.
        to: Bound,
    },
    /// The object, not the policy, would have to be different.
    Relate {
        /// The relation.
        relation: String,
        /// What it names.
        names: RelationType,
        /// The state that it would have to be in.
        to: RelationState,
    },
}

/// Sources that would bring what is missing if the user had them too.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}, {"key": "reports"}, {"key": "stock"}]},
/// #     "profiles": {"planner": {"allow": ["orders", "reports"]}, "driver": {"allow": ["stock"]}},
/// #     "users": {"bob": {"profile": "driver"}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let mends = engine.mends(engine.user("bob")?, engine.permission("orders")?, ());
/// let planner = &mends.assignments[0];
/// assert_eq!((planner.brings, planner.takes), (2, 1));
/// assert_eq!(planner.replaces.as_ref().unwrap().source.place(), "profiles.driver");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Assignment {
    /// The sources: one, or as many as it takes.
    pub sources: Vec<Assigned>,
    /// What else is needed, which no source brings: the parts of the first mend
    /// that grant the user nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub besides: Vec<Part>,
    /// The user's present profile, which would be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<SourceRef>,
    /// How many permissions and levels the user would gain from the sources alone.
    pub brings: usize,
    /// How many the user would lose.
    pub takes: usize,
}

/// A source to assign, and who may do so.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}, {"key": "users"}]},
/// #     "roles": {"clerk": {"allow": ["orders"]}},
/// #     "users": {"ann": {"allow": ["users"]}, "bob": {}},
/// #     "governance": {"permissions": {"assign_role": ["users"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let mends = engine.mends(engine.user("bob")?, engine.permission("orders")?, ());
/// let clerk = &mends.assignments[0].sources[0];
/// assert_eq!(clerk.source.source.to_string(), "role `clerk`");
/// assert_eq!(clerk.approvers, ["ann"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Assigned {
    /// The source.
    #[serde(flatten)]
    pub source: SourceRef,
    /// The users other than [admins](Mends::admins) who may assign it, sorted: exactly
    /// those on whose behalf [`Policy::apply`](crate::Policy::apply) accepts that change,
    /// once the sources before it are assigned.
    pub approvers: Vec<String>,
}

/// A denial as a request to those who can mend it, for the host to send.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "orders", "children": [{"key": "export", "label": "Export"}]}]},
/// #     "roles": {"clerk": {"allow": ["orders.**"]}},
/// #     "users": {"bob": {"label": "Bob", "allow": ["orders"]}, "root": {"admin": true}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let (bob, export) = (engine.user("bob")?, engine.permission("orders.export")?);
/// let request = engine.access_request(bob, export, ()).unwrap();
/// assert_eq!(request.user.label.as_deref(), Some("Bob"));
/// assert_eq!(request.missing[0].label.as_deref(), Some("Export"));
/// assert_eq!(request.mends.admins, ["root"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AccessRequest {
    /// Who asks.
    pub user: Named,
    /// What for, as `path` or `path:level`.
    pub action: Named,
    /// On what kind of object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Why it is denied now.
    pub reason: Reason,
    /// What the first mend would have to allow.
    pub missing: Vec<Named>,
    /// What would mend it.
    #[serde(flatten)]
    pub mends: Mends,
}

impl Engine {
    /// What would turn a denial into a yes; nothing where the answer is yes.
    ///
    /// Costs a few milliseconds, more where there are hundreds of profiles and
    /// roles to try, and a look at each user where grants are missing. The search
    /// is bounded to a few tenths of a second; a mend found at the bound may
    /// contain unneeded parts. A mend of more than 1,000 parts is not reported.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
    ///     "roles": {"clerk": {"allow": ["orders.**"]}},
    ///     "users": {"bob": {}, "root": {"admin": true}}
    /// }"#;
    /// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let (bob, export) = (engine.user("bob")?, engine.permission("orders.export")?);
    /// assert_eq!(engine.mends(bob, export, ()).to_string(), "\
    /// to allow it, do one of these
    ///   1. all of this:
    ///      - allow this user `orders.export`
    ///      - allow this user `orders`
    ///   2. assign role `clerk`: brings 2 permissions; may be assigned by: admins
    ///   (admins: `root`)
    /// ");
    /// # Ok(())
    /// # }
    /// ```
    pub fn mends<T: Target>(&self, user: User, action: Permission, on: T) -> Mends {
        let (Some(holder), Some(bit)) = (self.holder(user), self.bit(action)) else {
            return Mends::default();
        };
        let (object, today) = on.parts();
        let (policy, left) = (self.policy().inner(), Cell::new(EFFORT));
        Mending { engine: self, policy, holder, bit, object, today, left }.mends()
    }

    /// A denial as a request to those who can mend it; `None` where the answer
    /// is yes or the user is unknown. Costs what [`Engine::mends`] does.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"ann": {"roles": ["clerk"]}, "bob": {}, "root": {"admin": true}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let orders = engine.permission("orders")?;
    /// let request = engine.access_request(engine.user("bob")?, orders, ()).unwrap();
    /// assert_eq!(request.action.name, "orders");
    /// assert_eq!(request.mends.assignments[0].sources[0].source.source.to_string(), "role `clerk`");
    /// assert!(engine.access_request(engine.user("ann")?, orders, ()).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn access_request<T: Target>(
        &self,
        user: User,
        action: Permission,
        on: T,
    ) -> Option<AccessRequest> {
        let reason = self.why(user, action, on);
        if reason.allowed() {
            return None;
        }
        let holder = self.holder(user)?;
        let mends = self.mends(user, action, on);
        let allowed = mends.least.first().map_or(&[][..], |mend| &mend.parts);
        let missing = allowed.iter().filter_map(|part| match part {
            Part::Allow(permission) => Some(permission.clone()),
            _ => None,
        });
        Some(AccessRequest {
            user: named_user(holder),
            action: named_bit(&self.policy().inner().catalogue, self.bit(action)?),
            object: on.parts().0.map(|object| object.kind().to_owned()),
            reason,
            missing: missing.collect(),
            mends,
        })
    }
}

/// A part of a mend while it is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Restore,
    License(Box<str>),
    Allow(Bit),
    Lift(Origin, List, Pattern),
    Widen(AttributeId, Bound),
    Relate(u32, RelationState),
}

impl Step {
    /// Whether it grants the user something that a source could grant instead.
    pub(super) fn is_grant(&self) -> bool {
        match self {
            Step::Allow(_) | Step::Widen(..) => true,
            Step::Lift(_, list, _) => *list != List::Forbid,
            Step::Restore | Step::License(_) | Step::Relate(..) => false,
        }
    }
}

/// A way of mending, while it is tried.
#[derive(Clone, Debug, Default)]
struct Way {
    steps: Vec<Step>,
    /// Whether a deny is lifted from its source, rather than overruled by
    /// allowing the permission to the user.
    lifts: bool,
    /// How scoped nodes are to be met.
    chosen: Vec<(NodeId, Choice)>,
    /// Whether it is tried only if no other leads anywhere, because it grants a
    /// scope that the object does not fit.
    is_last_resort: bool,
}

/// How a scoped permission is to be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// By granting that scope.
    Grant(NodeId),
    /// By an object that fits that scope.
    Relate(NodeId),
}

/// How to go on with a way that does not lead to a yes.
enum Next {
    /// These steps would take it further.
    Steps(Vec<Step>),
    /// One of these has to be chosen for a scoped node; the second list is of
    /// last resorts.
    Choose(NodeId, Vec<Choice>, Vec<Choice>),
    /// Nothing would.
    Stuck,
}

/// One denial, to be mended.
pub(super) struct Mending<'a, O: ?Sized> {
    pub(super) engine: &'a Engine,
    pub(super) policy: &'a Inner,
    pub(super) holder: Holder<'a>,
    bit: Bit,
    object: Option<&'a O>,
    today: Option<Date>,
    /// How much effort is left.
    left: Cell<usize>,
}

impl<O: Object + ?Sized> Mending<'_, O> {
    fn mends(&self) -> Mends {
        if self.allows(&[], self.holder.class) {
            return Mends::default();
        }
        let look = EFFORT.saturating_sub(self.left.get());
        let effort = look.saturating_mul(LOOKS).max(EFFORT);
        self.left.set(effort);
        let mut ways: Vec<Vec<Step>> = Vec::new();
        // The last is tried first.
        let mut open = vec![Way { lifts: true, ..Way::default() }, Way::default()];
        let mut last_resorts = Vec::new();
        for _ in 0..TRIED {
            let last_resort = || ways.is_empty().then(|| last_resorts.pop()).flatten();
            let Some(way) = open.pop().or_else(last_resort) else { break };
            if !self.may_look() {
                break;
            }
            match self.follow(way) {
                Ok(steps) => {
                    let steps = self.least(steps);
                    let same = |known: &Vec<Step>| {
                        known.len() == steps.len() && steps.iter().all(|step| known.contains(step))
                    };
                    if !ways.iter().any(same) {
                        ways.push(steps);
                    }
                }
                Err(branches) => {
                    for branch in branches.into_iter().rev() {
                        match branch.is_last_resort {
                            true => last_resorts.push(branch),
                            false => open.push(branch),
                        }
                    }
                }
            }
        }
        ways.sort_by_key(Vec::len);
        self.left.set(effort);
        let assignments = ways.first().map(|steps| self.assignments(steps));
        let (assignments, admins) = assignments.unwrap_or_default();
        ways.truncate(TOLD);
        let least = ways.iter().map(|steps| Mend { parts: self.told(steps) }).collect();
        Mends { least, assignments, admins }
    }

    /// Follows a way to a yes, or to where it branches.
    fn follow(&self, mut way: Way) -> Result<Vec<Step>, Vec<Way>> {
        loop {
            if self.allows(&way.steps, self.holder.class) {
                return Ok(way.steps);
            }
            match self.next(&way) {
                Next::Steps(steps) => {
                    let mut is_further = false;
                    for step in steps {
                        is_further |= add(&mut way.steps, step, self.policy);
                        if way.steps.len() > LONGEST {
                            return Err(Vec::new());
                        }
                    }
                    if !is_further || !self.may_look() {
                        return Err(Vec::new());
                    }
                }
                Next::Choose(node, choices, last_resorts) => {
                    let branch = |choice, is_last_resort| {
                        let mut way = way.clone();
                        way.chosen.push((node, choice));
                        way.is_last_resort |= is_last_resort;
                        way
                    };
                    let choices = choices.into_iter().map(|choice| branch(choice, false));
                    let others = last_resorts.into_iter().map(|choice| branch(choice, true));
                    return Err(choices.chain(others).collect());
                }
                Next::Stuck => return Err(Vec::new()),
            }
        }
    }

    /// What a way lacks next.
    fn next(&self, way: &Way) -> Next {
        self.try_walk(&way.steps, self.holder.class, |walk| self.lacking(walk, way))
    }

    fn lacking(&self, walk: &mut Walk<'_, O>, way: &Way) -> Next {
        match walk.reason(self.bit) {
            Reason::Suspended => Next::Steps(vec![Step::Restore]),
            Reason::ObjectRequired | Reason::WrongKind => Next::Stuck,
            _ if walk.held(self.bit) == Reason::Granted => {
                self.object_steps(walk, way, walk.catalogue().id_of(self.bit))
            }
            _ => grant_steps(walk, way, self.bit, true),
        }
    }

    /// What is in the way of an effective permission on the object: in itself, or
    /// in what it answers to.
    fn object_steps(&self, walk: &mut Walk<'_, O>, way: &Way, mut id: NodeId) -> Next {
        let catalogue = walk.catalogue();
        loop {
            let node = catalogue.node(id);
            let is_on_kind = walk.is_on_kind(id);
            let effective = walk.effective_scopes(id);
            let fits = |walk: &Walk<'_, O>, scope| !is_on_kind || walk.matches(scope);
            let is_open =
                effective.iter().any(|&scope| fits(walk, scope) && walk.closed_by(scope).is_none());
            if matches!(node.form, Form::Scoped(_) | Form::Scope(..)) && !is_open {
                let Some(&(_, choice)) = way.chosen.iter().find(|(node, _)| *node == id) else {
                    let others = catalogue.scopes(id).filter(|scope| !effective.contains(scope));
                    let (mut choices, mut last_resorts) = (Vec::new(), Vec::new());
                    for scope in others {
                        match fits(walk, scope) {
                            true => choices.push(Choice::Grant(scope)),
                            false => last_resorts.push(Choice::Grant(scope)),
                        }
                    }
                    choices.extend(effective.iter().map(|&scope| Choice::Relate(scope)));
                    return Next::Choose(id, choices, last_resorts);
                };
                let (Choice::Grant(scope) | Choice::Relate(scope)) = choice;
                if !effective.contains(&scope) {
                    return grant_steps(walk, way, catalogue.node(scope).bit, false);
                }
                if !fits(walk, scope) {
                    let steps = relate(walk, way, scope, self.holder);
                    return steps.map_or(Next::Stuck, Next::Steps);
                }
                let Some((_, bit)) = walk.closed_by(scope) else { return Next::Stuck };
                id = catalogue.id_of(bit);
                continue;
            }
            let failing = |&check: &AttributeId| is_on_kind && !walk.passes(check);
            let failing: Vec<AttributeId> = walk.checks(id).filter(failing).collect();
            if !failing.is_empty() {
                return Next::Steps(failing.into_iter().map(|check| widen(walk, check)).collect());
            }
            let Some((_, bit)) = walk.gated_by(id) else { return Next::Stuck };
            id = catalogue.id_of(bit);
        }
    }

    fn walk<'w>(&'w self, user: &'w policy::Class, supposed: &'w Supposed) -> Walk<'w, O> {
        let holder = Holder { class: user, ..self.holder };
        Walk::new(self.policy, holder, supposed, self.object, self.today)
    }

    /// Whether the answer to that user is yes once the steps are taken.
    pub(super) fn allows(&self, steps: &[Step], user: &policy::Class) -> bool {
        self.try_walk(steps, user, |walk| walk.reason(self.bit).allowed())
    }

    /// Asks that user's walk, as it is once the steps are taken.
    pub(super) fn try_walk<R>(
        &self,
        steps: &[Step],
        user: &policy::Class,
        ask: impl FnOnce(&mut Walk<'_, O>) -> R,
    ) -> R {
        let (user, supposed) = suppose(self.policy, user, steps);
        let mut walk = self.walk(&user, &supposed);
        let answer = ask(&mut walk);
        self.left.set(self.left.get().saturating_sub(walk.effort()));
        answer
    }

    /// Whether enough effort is left for another look.
    pub(super) fn may_look(&self) -> bool {
        self.left.get() > 0
    }

    /// Leaves out what is not needed.
    fn least(&self, mut steps: Vec<Step>) -> Vec<Step> {
        loop {
            let before = steps.len();
            // What was added last is more likely to be a means to the rest.
            for at in (0..steps.len()).rev() {
                if !self.may_look() {
                    return steps;
                }
                let step = steps.remove(at);
                if !self.allows(&steps, self.holder.class) {
                    steps.insert(at, step);
                }
            }
            if steps.len() == before {
                return steps;
            }
        }
    }

    pub(super) fn told(&self, steps: &[Step]) -> Vec<Part> {
        let catalogue = &self.policy.catalogue;
        let kind = catalogue.node_of(self.bit).kind;
        let part = |step: &Step| match step {
            Step::Restore => Part::Restore(named_user(self.holder)),
            Step::License(feature) => Part::License(feature.to_string()),
            Step::Allow(bit) => Part::Allow(named_bit(catalogue, *bit)),
            Step::Lift(source, list, pattern) => {
                Part::Lift(self.statement(*source, *list, *pattern))
            }
            Step::Widen(attribute, to) => {
                let attribute = catalogue.attribute_at(*attribute);
                let (form, to) = (attribute.bound, to.clone());
                Part::Widen { attribute: attribute.path.to_string(), form, to }
            }
            Step::Relate(relation, to) => {
                let relations = kind.map(|kind| &catalogue.kind(kind).relations);
                let relation = relations.and_then(|all| all.get_index(*relation as usize));
                let (relation, names) = match relation {
                    Some((name, names)) => (name.to_string(), *names),
                    None => (String::new(), RelationType::User),
                };
                Part::Relate { relation, names, to: *to }
            }
        };
        steps.iter().map(part).collect()
    }
}

impl<O: ?Sized> Mending<'_, O> {
    /// A statement that denies or forbids.
    fn statement(&self, source: Origin, list: List, pattern: Pattern) -> Statement {
        let policy = self.policy;
        let mut sources = policy.sources_of(self.holder.class);
        let statements = sources.find(|known| known.origin == source).map(|it| it.statements);
        let (effect, field) = match list {
            List::Forbid => (Effect::Forbid, "forbid"),
            _ => (Effect::Deny, "deny"),
        };
        let patterns = statements.map_or(&[][..], |said| match list {
            List::Forbid => &said.forbid,
            _ => &said.deny,
        });
        let at = patterns.iter().position(|known| *known == pattern).unwrap_or_default();
        let source = policy.source_ref(source, self.holder.name);
        let place = format!("{}.{field}[{at}]", source.source.place());
        let pattern = pattern.text(&policy.catalogue);
        Statement { source, effect, pattern, place, decides: true }
    }
}

/// Adds a step and returns whether that changes anything. Of one permission only
/// the highest level is kept, of one relation only the last state.
fn add(steps: &mut Vec<Step>, step: Step, policy: &Inner) -> bool {
    if steps.contains(&step) {
        return false;
    }
    let node = |bit: Bit| policy.catalogue.id_of(bit);
    for known in steps.iter_mut() {
        match (&mut *known, &step) {
            (Step::Allow(known), Step::Allow(bit)) if node(*known) == node(*bit) => {
                let is_higher = *bit > *known;
                *known = *bit.max(known);
                return is_higher;
            }
            (Step::Relate(relation, state), Step::Relate(of, to)) if relation == of => {
                *state = *to;
                return true;
            }
            _ => {}
        }
    }
    steps.push(step);
    true
}

/// What keeps a permission from being held: all that it needs and that is not
/// granted.
fn grant_steps<O: Object + ?Sized>(
    walk: &mut Walk<'_, O>,
    way: &Way,
    bit: Bit,
    asked: bool,
) -> Next {
    let catalogue = walk.catalogue();
    let mut steps = Vec::new();
    let mut seen: HashSet<Bit, RandomState> = HashSet::default();
    let mut open = vec![bit];
    while let Some(bit) = open.pop() {
        if !seen.insert(bit) {
            continue;
        }
        let id = catalogue.id_of(bit);
        let scopes = catalogue.scopes(id);
        if !scopes.is_empty() {
            if walk.is_effective(bit) {
                continue;
            }
            let choice = way.chosen.iter().find(|(node, _)| *node == id);
            let scope = match choice {
                Some(&(_, Choice::Grant(scope) | Choice::Relate(scope))) => Some(scope),
                None if asked && seen.len() == 1 => {
                    return Next::Choose(id, scopes.map(Choice::Grant).collect(), Vec::new());
                }
                // Of those that fit the object, if any do, the nearest to being held.
                None => {
                    let fits = |scope: &NodeId| walk.object.is_none() || walk.matches(*scope);
                    let fitting: Vec<NodeId> = scopes.clone().filter(fits).collect();
                    let among = if fitting.is_empty() { scopes.collect() } else { fitting };
                    among
                        .into_iter()
                        .max_by_key(|&scope| walk.held(catalogue.node(scope).bit) as u8)
                }
            };
            open.extend(scope.map(|scope| catalogue.node(scope).bit));
            continue;
        }
        let level = walk.level_of(bit);
        let grant = walk.grant(id);
        if let Some(by) = grant.unlicensed {
            let feature = catalogue.node(by).feature.clone();
            steps.extend(feature.map(Step::License));
        }
        let forbids = grant.forbids.clone();
        let denies: Vec<_> = match way.lifts && grant.said == Some(Does::Deny) {
            true => grant.stated.iter().filter(|stated| stated.decides).copied().collect(),
            false => Vec::new(),
        };
        let granted = match grant.said {
            Some(Does::Level(said)) => said >= level,
            Some(Does::Deny) => !denies.is_empty(),
            None => grant.level >= level,
        };
        if !granted {
            steps.push(Step::Allow(bit));
        }
        for stated in forbids.iter().chain(&denies) {
            steps.push(Step::Lift(walk.source_of(stated.source), stated.list, stated.pattern));
        }
        open.extend(walk.needs(id).into_iter().map(|(_, bit)| bit));
    }
    Next::Steps(steps)
}

/// The states in which the object's relations would fit a scope, and all others
/// that this way counts on.
fn relate<O: Object + ?Sized>(
    walk: &Walk<'_, O>,
    way: &Way,
    scope: NodeId,
    user: Holder<'_>,
) -> Option<Vec<Step>> {
    let catalogue = walk.catalogue();
    let kind = catalogue.node(scope).kind?;
    let when = |scope: NodeId| match &catalogue.node(scope).form {
        Form::Scope(_, when) if catalogue.node(scope).kind == Some(kind) => &**when,
        _ => &[],
    };
    let counted_on = way.chosen.iter().flat_map(|&(_, choice)| match choice {
        Choice::Grant(scope) | Choice::Relate(scope) => when(scope),
    });
    let mut steps = Vec::new();
    for &(relation, accepted) in when(scope) {
        if walk.state(kind, relation).is_some_and(|state| accepted.accepts(state)) {
            continue;
        }
        let names = catalogue.kind(kind).relations.get_index(relation as usize);
        let nobody_s = matches!(names, Some((_, RelationType::Group))) && user.groups.is_empty();
        let of_relation = counted_on.clone().filter(|&&(known, _)| known == relation);
        let states = [RelationState::Me, RelationState::Other, RelationState::None];
        let state = states.into_iter().find(|&state| {
            let is_possible = !(state == RelationState::Me && nobody_s);
            is_possible && of_relation.clone().all(|&(_, accepted)| accepted.accepts(state))
        });
        steps.push(Step::Relate(relation, state?));
    }
    Some(steps)
}

/// The user's bound on an attribute, wide enough for the object's value.
fn widen<O: Object + ?Sized>(walk: &Walk<'_, O>, check: AttributeId) -> Step {
    let of = walk.catalogue().attribute_at(check).bound;
    let stated: Vec<&Bound> =
        walk.policy.bounds_of(walk.user, check).map(|(_, bound)| bound).collect();
    let to = match (of, walk.value(check)) {
        (BoundType::OneOf, Some(Value::Text(text))) => {
            let mut texts: Vec<String> = Vec::new();
            for bound in stated {
                if let Bound::OneOf(more) = bound {
                    texts.extend(more.iter().cloned());
                }
            }
            texts.push(text.to_owned());
            Bound::OneOf(texts)
        }
        (BoundType::AtMost | BoundType::AtLeast, Some(Value::Integer(value))) => {
            Bound::Limit(value)
        }
        (BoundType::NotBefore | BoundType::NotAfter, Some(value)) => {
            value.date().map_or(Bound::Any, |date| fence(&stated, date, walk.today))
        }
        _ => Bound::Any,
    };
    Step::Widen(check, to)
}

/// A fence that reaches a date, in the form of the nearest one stated.
fn fence(stated: &[&Bound], date: Date, today: Option<Date>) -> Bound {
    let fences = stated.iter().filter_map(|bound| match bound {
        Bound::Fence(fence) => Some((*fence, fence_day(*fence, today)?.days_until(date))),
        _ => None,
    });
    let nearest = fences.min_by_key(|(_, days)| days.unsigned_abs());
    Bound::Fence(match nearest {
        Some((Fence::PlusDays(days), more)) => Fence::PlusDays(days.saturating_add(more)),
        Some((Fence::Next { weekday, plus_days }, more)) => {
            Fence::Next { weekday, plus_days: plus_days.saturating_add(more) }
        }
        Some((Fence::Date(_), _)) | None => Fence::Date(date),
    })
}

/// The user, and what else is supposed, once steps are taken.
fn suppose(policy: &Inner, user: &policy::Class, steps: &[Step]) -> (policy::Class, Supposed) {
    let mut user = user.clone();
    let mut supposed = Supposed::default();
    for step in steps {
        match step {
            Step::Restore => user.suspended = false,
            Step::License(feature) => supposed.features.push(feature.clone()),
            Step::Allow(bit) => {
                let node = policy.catalogue.node_of(*bit);
                let exactly = Pattern::exactly(policy.catalogue.id_of(*bit));
                let effect = policy::Effect::granting(node, node.level_of(*bit));
                user.statements.get_or_insert_default().set_exactly(exactly, Some(effect));
            }
            Step::Lift(Origin::Own, list, pattern) => {
                if let Some(own) = &mut user.statements {
                    let patterns = match list {
                        List::Forbid => &mut own.forbid,
                        _ => &mut own.deny,
                    };
                    let mut left = std::mem::take(patterns).into_vec();
                    left.retain(|known| known != pattern);
                    *patterns = left.into();
                }
            }
            Step::Lift(source, list, pattern) => supposed.lifted.push((*source, *list, *pattern)),
            Step::Widen(attribute, to) => {
                let own = user.statements.get_or_insert_default();
                let mut bounds = std::mem::take(&mut own.bounds).into_vec();
                bounds.retain(|(known, _)| known != attribute);
                bounds.push((*attribute, to.clone()));
                own.bounds = bounds.into();
            }
            Step::Relate(relation, state) => supposed.relations.push((*relation, *state)),
        }
    }
    (user, supposed)
}
