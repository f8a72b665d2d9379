//! The tick-box tree of a source, as an editor shows it.
//!
//! An editor of profiles, roles or users shows the catalogue as a tree of tick boxes,
//! and for each box more than its tick: the statement that ticks it, what would be
//! inherited without it, and the reason if a tick has no effect. [`Policy::tree`]
//! returns all of that as data. The ticks themselves are changed by
//! [`Change::Edit`](crate::change::Change::Edit), with `cascade` for everything that a
//! tick needs.
//!
//! A tick without effect, and the reason:
//!
//! ```
//! # use grantree::{Document, Policy, SourceName};
//! # let text = r#"{
//! #     "format": 1,
//! #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
//! #     "roles": {"clerk": {"allow": ["orders.export"]}}
//! # }"#;
//! # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
//! let tree = policy.tree(&SourceName::Role("clerk".into()))?;
//! let idle = tree.iter().find(|node| node.is_idle()).unwrap();
//! assert_eq!(idle.permission.name, "orders.export");
//! assert_eq!(idle.lacks[0].permission.name, "orders");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod text;

use serde::Serialize;

use crate::catalogue::{Catalogue, Form as NodeForm, NodeId};
use crate::document;
use crate::engine::{Layers, Unknown};
use crate::explain::{
    Effect, Grant, Link, Named, SourceRef, Statement, TraceBuilder, Unlicensed, named_node,
};
use crate::ids::{Number, SourceId, UserSlot};
use crate::object::NoObject;
use crate::policy::{Class, Inner, OwnSources, Policy, SourceName};
use crate::reason::Reason;

/// The statements of a source about each node of the catalogue, and their effect for
/// somebody who holds that source.
///
/// A profile, role or approval group is judged as if a user held it and nothing else:
/// over the global source, and a role with the roles that it includes. A user is judged
/// with all sources that the user holds, suspension left aside, so that an editor can
/// show what the user will hold once restored. The statements of an assignment's own
/// ([`SourceRef::of_assignment`]) are judged in the capacity of its user who acts in it,
/// whatever its terms; what is inherited is all but these.
///
/// It serializes as data with stable codes, and displays as an indented tree. Brackets
/// show what the source itself states: `[x]` allowed, `[-]` denied, `[!]` forbidden,
/// `[.]` left to other sources, `[read_only]` the level of a graded permission, `[~]` not
/// the same for all nodes under it, `[ ]` nothing. Where the source states nothing,
/// parentheses show what others state, what is implied, or what an admin holds.
///
/// ```
/// use grantree::explain::Effect;
/// use grantree::{Document, Policy, SourceName};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [
///         {"key": "orders", "label": "Orders", "children": [
///             {"key": "quotes", "children": [{"key": "export"}]},
///             {"key": "approve", "requires": ["reports"]}]},
///         {"key": "reports"},
///         {"key": "prices", "levels": ["hidden", "read_only", "read_write"]}]},
///     "global": {"levels": {"prices": "read_only"}},
///     "roles": {"clerk": {"label": "Clerk", "allow": ["orders.**"], "deny": ["orders.quotes"]}}
/// }"#;
/// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let tree = policy.tree(&SourceName::Role("clerk".into()))?;
/// assert_eq!(tree.to_string(), "\
/// role `clerk` (Clerk)
///   [x] orders (Orders): `orders.**` [roles.clerk.allow[0]]
///     [-] quotes: [roles.clerk.deny[0]]
///       [x] export: `orders.**` [roles.clerk.allow[0]]; no effect: `orders.quotes`, which is above it, is denied
///     [x] approve: `orders.**` [roles.clerk.allow[0]]; no effect: `reports`, which it requires, is not granted
///   [ ] reports
///   (read_only) prices: the global source sets `prices` to `read_only` [global.levels.prices]
/// ");
///
/// let node = |path| tree.iter().find(|node| node.permission.name == path).unwrap();
/// let approve = node("orders.approve");
/// assert_eq!(approve.own.effect, Some(Effect::Allow));
/// assert_eq!(approve.own.by[0].place, "roles.clerk.allow[0]");
/// assert!(!approve.has_effect());
/// assert_eq!(approve.lacks[0].permission.name, "reports");
/// assert_eq!(node("prices").inherited.effect, Some(Effect::Level("read_only".into())));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tree {
    /// The source.
    #[serde(flatten)]
    pub source: SourceRef,
    /// True if it is a user who is an admin, and so holds every licensed permission,
    /// whatever the sources state.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
    /// True if it is a user who is suspended, and so holds nothing for now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// The roots of the catalogue.
    pub roots: Vec<Node>,
}

/// A node of the catalogue in the tree of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Node {
    /// The path and the label.
    pub permission: Named,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The kind of node.
    pub form: Form,
    /// The levels of a graded permission, the lowest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<String>,
    /// The tick in its box: what the source itself states.
    pub own: Stated,
    /// The tick without the source itself: the sources that it overrides or brings
    /// along together, which are less specific tiers and, for a role, the roles that it
    /// includes.
    pub inherited: Stated,
    /// If no source states anything and it is implied: the permission that implies
    /// it, the one that implies that, and so on up to a stated one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implied_by: Vec<Named>,
    /// The reason why it is effective or not, objects left aside: the answer of
    /// [`Engine::why`](crate::Engine::why) on an object that fits every scope and
    /// bound. Of a scoped node, the scope that came furthest is reported. A heading
    /// has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The effective level of a graded permission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The unlicensed feature that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlicensed: Option<Unlicensed>,
    /// If it is gated, everything that it needs and that is not effective, the
    /// cause first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Lack>,
    /// Its scopes, then the nodes under it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
}

/// A kind of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// It only groups.
    Heading,
    /// It is granted or not.
    Plain,
    /// It is granted at a level.
    Graded,
    /// It is granted through its scopes, which are its first children.
    Scoped,
    /// A scope of the node above it.
    Scope,
}

/// The effect that is stated for a node, and the statements behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stated {
    /// The effect; of a scoped node that of all its scopes, of a heading that of all
    /// nodes under it. `None` where nothing is stated, or not the same of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// True if it is not the same for all scopes of a scoped node, or all nodes under a
    /// heading.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mixed: bool,
    /// The statements behind the effect: the source's nearest one, those that decide
    /// among several sources, or all that forbid it. Empty for a heading, and for a
    /// scoped node where they are not the same for all its scopes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<Statement>,
}

/// A permission that another one needs and that is not effective.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lack {
    /// The way in which the other one needs it.
    pub link: Link,
    /// The permission needed, as `path` or `path:level`.
    pub permission: Named,
    /// The reason why it is not effective.
    pub reason: Reason,
}

impl Tree {
    /// Returns all nodes in the order of the catalogue, each before those under it.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        walk(&self.roots)
    }
}

/// Iterates over nodes and all nodes under them, each before those under it.
fn walk(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    let mut open: Vec<&Node> = nodes.iter().rev().collect();
    std::iter::from_fn(move || {
        let node = open.pop()?;
        open.extend(node.children.iter().rev());
        Some(node)
    })
}

impl Node {
    /// Returns whether it is effective for somebody who holds the source, objects left
    /// aside. `false` for a heading.
    pub fn has_effect(&self) -> bool {
        self.reason.is_some_and(Reason::allowed)
    }

    /// Returns whether it is ticked without effect: the source itself grants it, but
    /// something is in the way.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
    /// #     "roles": {"clerk": {"allow": ["orders.export"]}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let tree = policy.tree(&SourceName::Role("clerk".into()))?;
    /// let orders = &tree.roots[0];
    /// // To export orders, one has to see them.
    /// assert!(orders.children[0].is_idle() && !orders.is_idle());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_idle(&self) -> bool {
        let is_granted = match &self.own.effect {
            Some(Effect::Allow) => true,
            Some(Effect::Level(level)) => self.levels.first() != Some(level),
            Some(Effect::Except | Effect::Deny | Effect::Forbid) | None => false,
        };
        is_granted && self.reason.is_some() && !self.has_effect()
    }
}

impl Policy {
    /// Returns the statements of a source about each node of the catalogue, and their
    /// effect for somebody who holds it.
    ///
    /// Needs no [`Engine`](crate::Engine). Costs a few look-ups in each source involved
    /// for each node, and a pass over their statements: milliseconds for a thousand of
    /// either.
    ///
    /// # Errors
    ///
    /// If the policy has no such source.
    ///
    /// ```
    /// # use grantree::explain::SourceRef;
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
    /// #     "roles": {"clerk": {"allow": ["orders"], "deny": ["orders.export"]}},
    /// #     "users": {"ann": {"roles": ["clerk"], "assignments": {"x": {"allow": ["orders.export"]}}}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let tree = policy.tree(&SourceName::Role("clerk".into()))?;
    /// assert_eq!(tree.to_string(), "\
    /// role `clerk`
    ///   [x] orders: [roles.clerk.allow[0]]
    ///     [-] export: [roles.clerk.deny[0]]
    /// ");
    /// assert!(policy.tree(&SourceName::Role("clrek".into())).is_err());
    ///
    /// let tree = policy.tree(SourceRef::of_assignment("ann", "x"))?;
    /// assert_eq!(tree.to_string(), "\
    /// assignment `x`
    ///   (x) orders: role `clerk` allows `orders` [roles.clerk.allow[0]]
    ///     [x] export: [users.ann.assignments.x.allow[0]]; no effect: role `clerk` denies `orders.export` [roles.clerk.deny[0]]
    /// ");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tree(&self, source: impl Into<SourceRef>) -> Result<Tree, Unknown> {
        self.tree_of(source.into())
    }

    fn tree_of(&self, source: SourceRef) -> Result<Tree, Unknown> {
        let policy = self.inner();
        let (holder, own) = policy.holder(&source)?;
        let others = policy.without(&source, &holder, own.as_ref());
        let source = SourceRef { label: policy.label(&source), ..source };
        let licensed = policy.catalogue.licensed(|feature| policy.is_licensed(feature));
        let mut layers = Layers::new(policy, &licensed);
        let mut traced = |class, own| TraceBuilder::new(&mut layers, &source, class, own);
        let mut survey = Survey {
            catalogue: &policy.catalogue,
            source: &source,
            all: traced(&holder, own.as_ref()),
            others: others.as_ref().map(|(others, own)| traced(others, own.as_ref())),
            next: NodeId::default(),
        };
        let roots = survey.nodes(&policy.catalogue.document.permissions);
        Ok(Tree { source: source.clone(), admin: holder.admin, suspended: holder.suspended, roots })
    }
}

impl Inner {
    /// Somebody who holds a source and nothing else or, for a user, that user; and the own
    /// sources of the assignment, for one's statements.
    pub(crate) fn holder(
        &self,
        source: &SourceRef,
    ) -> Result<(Class, Option<OwnSources>), Unknown> {
        let Some((kind, name)) = source.source.shared() else {
            // As with questions, no other user's name is suggested.
            let name = source.source.user().unwrap_or_default();
            let slot = self.users.find(name).ok_or_else(|| Unknown::among("user", name, []))?;
            let own =
                source.assignment.as_deref().map(|name| self.own_of(slot, name)).transpose()?;
            return Ok((self.users[slot].clone(), own.cloned()));
        };
        let found = self.sources.find(kind, name).ok_or_else(|| {
            let known = self.sources.of(kind).map(|(_, name, _)| name);
            Unknown::among(kind.noun(), name, known)
        })?;
        let sources = [found].into_iter().filter(|&id| id != SourceId::GLOBAL).collect();
        Ok((Class { sources, ..Class::default() }, None))
    }

    fn own_of(&self, slot: UserSlot, assignment: &str) -> Result<&OwnSources, Unknown> {
        let mut own = self.users.own_sources(slot);
        let found = own.find(|(name, _)| *name == assignment).map(|(_, own)| own);
        found.ok_or_else(|| {
            let known = self.users.own_sources(slot).map(|(name, _)| name);
            Unknown::among("assignment", assignment, known)
        })
    }

    /// Somebody who holds all but that source itself, if there is anything else.
    fn without(
        &self,
        source: &SourceRef,
        holder: &Class,
        own: Option<&OwnSources>,
    ) -> Option<(Class, Option<OwnSources>)> {
        if let Some(own) = own {
            return Some((holder.clone(), Some(OwnSources { statements: None, ..own.clone() })));
        }
        let class = match source.source {
            SourceName::Global => return None,
            SourceName::User(_) => Class { statements: None, ..holder.clone() },
            _ => {
                let included = holder.sources.iter().flat_map(|&id| &self.sources[id].includes);
                Class { sources: included.copied().collect(), ..Class::default() }
            }
        };
        Some((class, None))
    }

    pub(crate) fn label(&self, source: &SourceRef) -> Option<String> {
        let label = match (source.source.shared(), &source.assignment) {
            (Some((kind, name)), _) => {
                self.sources[self.sources.find(kind, name)?].label.as_deref()
            }
            (None, None) => self.users.holder(self.users.find(source.source.user()?)?)?.label,
            (None, Some(assignment)) => {
                let slot = self.users.find(source.source.user()?)?;
                let mut assigned = self.users.assigned(slot).iter();
                assigned.find(|it| *it.name == **assignment)?.texts.label.as_deref()
            }
        };
        label.map(Into::into)
    }
}

/// The tree under construction, node by node in the order of their numbers.
struct Survey<'a> {
    catalogue: &'a Catalogue,
    source: &'a SourceRef,
    /// With everything that the holder of the source has.
    all: TraceBuilder<'a, NoObject>,
    /// Without the source itself.
    others: Option<TraceBuilder<'a, NoObject>>,
    next: NodeId,
}

impl Survey<'_> {
    fn nodes(&mut self, permissions: &[document::PermissionNode]) -> Vec<Node> {
        permissions.iter().map(|permission| self.node(permission)).collect()
    }

    fn node(&mut self, permission: &document::PermissionNode) -> Node {
        let mut node = self.without_children(&permission.description);
        let scopes = permission.scopes.iter();
        node.children = scopes.map(|scope| self.without_children(&scope.description)).collect();
        if node.form == Form::Scoped {
            node.own = merged(node.children.iter().map(|scope| &scope.own));
            node.inherited = merged(node.children.iter().map(|scope| &scope.inherited));
        }
        node.children.extend(self.nodes(&permission.children));
        if node.form == Form::Heading {
            let is_stated = |node: &&Node| !matches!(node.form, Form::Heading | Form::Scoped);
            let under = || walk(&node.children).filter(is_stated);
            let own = merged(under().map(|node| &node.own));
            let inherited = merged(under().map(|node| &node.inherited));
            node.own = Stated { by: Vec::new(), ..own };
            node.inherited = Stated { by: Vec::new(), ..inherited };
        }
        node
    }

    fn without_children(&mut self, description: &Option<String>) -> Node {
        let id = self.next;
        self.next = id.plus(1);
        let of = self.catalogue.node(id);
        let (form, levels) = match &of.form {
            NodeForm::Heading => (Form::Heading, None),
            NodeForm::Plain => (Form::Plain, None),
            NodeForm::Graded(levels) => (Form::Graded, Some(levels)),
            NodeForm::Scoped(_) => (Form::Scoped, None),
            NodeForm::Scope(..) => (Form::Scope, None),
        };
        let mut node = Node {
            permission: named_node(self.catalogue, id),
            description: description.clone(),
            form,
            levels: levels.into_iter().flatten().map(ToString::to_string).collect(),
            own: Stated::default(),
            inherited: Stated::default(),
            implied_by: Vec::new(),
            reason: None,
            level: None,
            unlicensed: self.all.unlicensed(id),
            lacks: Vec::new(),
            children: Vec::new(),
        };
        if form == Form::Heading {
            return node;
        }
        let (reason, lacks) = self.all.effect(id);
        let lack = |(link, permission, reason)| Lack { link, permission, reason };
        node.reason = Some(reason);
        node.lacks = lacks.into_iter().map(lack).collect();
        if form == Form::Scoped {
            return node;
        }
        let granting = self.all.grant(id);
        node.level = match reason {
            Reason::Admin => node.levels.last().cloned(),
            Reason::Granted => granting.level.clone(),
            _ => node.levels.first().cloned(),
        };
        let (source, assignment) = (&self.source.source, &self.source.assignment);
        node.own = stated(&granting, |by| {
            by.source.source == *source && by.source.assignment == *assignment
        });
        node.implied_by = granting.implied_by;
        if let Some(others) = &self.others {
            node.inherited = stated(&others.grant(id), |by| by.decides);
        }
        node
    }
}

/// Returns the effect of the statements about a permission that count.
fn stated(granting: &Grant, counts: impl Fn(&Statement) -> bool) -> Stated {
    let counting = |statements: &[Statement]| -> Vec<Statement> {
        statements.iter().filter(|by| counts(by)).cloned().collect()
    };
    let mut by = counting(&granting.forbidden_by);
    // Of an implied permission, the statements are about what implies it.
    if by.is_empty() && granting.implied_by.is_empty() {
        by = counting(&granting.statements);
    }
    if by.is_empty() {
        by = counting(&granting.left_out_by);
    }
    Stated { effect: by.first().map(|by| by.effect.clone()), mixed: false, by }
}

/// Merges the effects stated for several nodes.
fn merged<'n>(mut nodes: impl Iterator<Item = &'n Stated>) -> Stated {
    let Some(first) = nodes.next() else {
        return Stated::default();
    };
    let mut merged = first.clone();
    for Stated { effect, by, .. } in nodes {
        if merged.effect != *effect {
            return Stated { effect: None, mixed: true, by: Vec::new() };
        }
        if merged.by != *by {
            merged.by.clear();
        }
    }
    merged
}
