//! The tick-box tree of a source, as an editor shows it.
//!
//! An editor of profiles, roles or users shows the catalogue as a tree of tick
//! boxes, and for each box more than whether it is ticked: which statement ticks
//! it, what it would inherit otherwise, and why a tick may have no effect.
//! [`Policy::tree`] is all of that as data. The ticks themselves are changed by
//! [`Change::Edit`](crate::change::Change::Edit), with `cascade` for all that a
//! tick needs.
//!
//! A tick that does nothing, and why:
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
use crate::explain::{Effect, Grant, Link, Named, SourceRef, Statement, TraceBuilder, Unlicensed};
use crate::ids::SourceId;
use crate::object::NoObject;
use crate::policy::{Class, Inner, Policy, SourceName};
use crate::reason::Reason;

/// What a source says of each node of the catalogue, and what comes of it for
/// somebody who holds that source.
///
/// A profile, role or approval group is judged as if a user held it and nothing
/// else: over the global source, and a role with the roles that it includes. A
/// user is judged with all that the user holds, suspension left aside, so that
/// an editor can show what the user will hold once restored.
///
/// It serializes as data with stable codes, and displays as an indented tree.
/// Brackets show what the source itself says: `[x]` allowed, `[-]` denied, `[!]`
/// forbidden, `[read_only]` the level of a graded permission, `[~]` different
/// things of what is beneath it, `[ ]` nothing. Where the source says nothing,
/// parentheses show what others say, what is implied, or what an admin holds.
///
/// ```
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
/// let approve = tree.iter().find(|node| node.permission.name == "orders.approve");
/// let approve = approve.expect("a node of the catalogue");
/// assert!(!approve.has_effect());
/// assert_eq!(approve.own.by[0].place, "roles.clerk.allow[0]");
/// assert_eq!(approve.lacks[0].permission.name, "reports");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tree {
    /// The source.
    #[serde(flatten)]
    pub source: SourceRef,
    /// Whether it is a user who is an admin, and so holds all that is licensed,
    /// whatever the sources say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
    /// Whether it is a user who is suspended, and so holds nothing for now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// The roots of the catalogue.
    pub roots: Vec<Node>,
}

/// A node of the catalogue, as one source has it.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "price", "label": "Price", "levels": ["hidden", "read_only", "read_write"]}]},
/// #     "global": {"levels": {"price": "read_only"}},
/// #     "profiles": {"clerk": {"levels": {"price": "read_write"}}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::tree::Says;
///
/// let tree = policy.tree(&SourceName::Profile("clerk".into()))?;
/// let price = &tree.roots[0];
/// assert_eq!(price.own.says, Says::Level("read_write".into()));
/// assert_eq!(price.inherited.says, Says::Level("read_only".into()));
/// assert_eq!(price.level.as_deref(), Some("read_write"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Node {
    /// The path and the label.
    pub permission: Named,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of node it is.
    pub form: Form,
    /// The levels of a graded permission, the lowest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<String>,
    /// What the source itself says of it: the tick in its box.
    pub own: Word,
    /// What the sources that this one overrules or brings along say of it
    /// together: less specific tiers and, for a role, the roles that it includes.
    pub inherited: Word,
    /// Where no source says anything of it and it is implied: the permission that
    /// implies it, the one that implies that, and so on up to a stated one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implied_by: Vec<Named>,
    /// Why it is effective or not, objects left aside: what
    /// [`Engine::why`](crate::Engine::why) would say on an object that fits every
    /// scope and bound. Of a scoped node, the scope that came furthest is
    /// reported. A heading has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The effective level of a graded permission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The unlicensed feature that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlicensed: Option<Unlicensed>,
    /// Where it is gated, everything it needs that is not effective, the cause
    /// first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Lack>,
    /// Its scopes, then the nodes beneath it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
}

/// What kind of node it is.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"assignee": "user"}}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "own", "when": {"assignee": "me"}}]}]}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::tree::Form;
///
/// let tree = policy.tree(&SourceName::Global)?;
/// assert_eq!(tree.iter().map(|node| node.form).collect::<Vec<_>>(), [Form::Scoped, Form::Scope]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

/// What is said of a node, and by what.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "roles": {"clerk": {"allow": ["orders.**"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let tree = policy.tree(&SourceName::Role("clerk".into()))?;
/// let said = &tree.roots[0].children[0].own;
/// assert_eq!(said.by[0].pattern, "orders.**");
/// assert_eq!(said.by[0].place, "roles.clerk.allow[0]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Word {
    /// What is said. For a scoped node, what is said of all its scopes; for a
    /// heading, of all beneath it.
    pub says: Says,
    /// The statements that say it: the source's nearest one, those that decide
    /// among several sources, or all that forbid it. Empty for a heading, and for
    /// a scoped node where they are not the same for all its scopes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<Statement>,
}

/// What is said of a node.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "fields", "heading": true, "children": [{"key": "title"},
/// #         {"key": "cost"}]}, {"key": "reports"}]},
/// #     "roles": {"clerk": {"allow": ["fields.title"], "deny": ["fields.cost"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::tree::Says;
///
/// let tree = policy.tree(&SourceName::Role("clerk".into()))?;
/// let says: Vec<&Says> = tree.iter().map(|node| &node.own.says).collect();
/// assert_eq!(says, [&Says::Mixed, &Says::Allowed, &Says::Denied, &Says::Nothing]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Nothing.
    #[default]
    Nothing,
    /// That it is granted; if graded, at the highest level.
    Allowed,
    /// That it is denied.
    Denied,
    /// That it is forbidden.
    Forbidden,
    /// That it is granted at this level; at the lowest, nothing is granted.
    Level(String),
    /// Different things of different nodes beneath it.
    Mixed,
}

/// Something that a permission needs and that is not effective.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "approve", "requires": ["orders"]}, {"key": "orders"}]},
/// #     "roles": {"lead": {"allow": ["approve"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::explain::Link;
///
/// let tree = policy.tree(&SourceName::Role("lead".into()))?;
/// let lack = &tree.roots[0].lacks[0];
/// assert_eq!((lack.link, lack.permission.name.as_str()), (Link::Requires, "orders"));
/// assert_eq!(lack.reason.code(), "not_granted");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lack {
    /// How the permission answers to it.
    pub link: Link,
    /// The permission needed, as `path` or `path:level`.
    pub permission: Named,
    /// The reason why it is not effective.
    pub reason: Reason,
}

impl Tree {
    /// All nodes in the order of the catalogue, each before what is beneath it.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [
    /// #         {"key": "orders", "children": [{"key": "export"}]}, {"key": "reports"}]}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let tree = policy.tree(&SourceName::Global)?;
    /// let paths: Vec<&str> = tree.iter().map(|node| node.permission.name.as_str()).collect();
    /// assert_eq!(paths, ["orders", "orders.export", "reports"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        let mut open: Vec<&Node> = self.roots.iter().rev().collect();
        std::iter::from_fn(move || {
            let node = open.pop()?;
            open.extend(node.children.iter().rev());
            Some(node)
        })
    }
}

impl Node {
    /// Whether it is effective for somebody who holds the source, objects left
    /// aside. `false` for a heading.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let tree = policy.tree(&SourceName::Role("clerk".into()))?;
    /// let orders = &tree.roots[0];
    /// assert!(orders.has_effect() && !orders.children[0].has_effect());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn has_effect(&self) -> bool {
        self.reason.is_some_and(Reason::allowed)
    }

    /// Whether it is ticked without effect: the source itself grants it, but
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
        let granted = match &self.own.says {
            Says::Allowed => true,
            Says::Level(level) => self.levels.first() != Some(level),
            _ => false,
        };
        granted && self.reason.is_some() && !self.has_effect()
    }
}

impl Policy {
    /// What a source says of each node of the catalogue, and what comes of it.
    ///
    /// Works it out from the statements, without an [`Engine`](crate::Engine).
    /// Costs a few look-ups in each source involved for each node, and a pass over
    /// their statements: milliseconds for a thousand of either.
    ///
    /// # Errors
    ///
    /// Where the policy has no such source.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
    /// #     "roles": {"clerk": {"allow": ["orders"], "deny": ["orders.export"]}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let tree = policy.tree(&SourceName::Role("clerk".into()))?;
    /// assert_eq!(tree.to_string(), "\
    /// role `clerk`
    ///   [x] orders: [roles.clerk.allow[0]]
    ///     [-] export: [roles.clerk.deny[0]]
    /// ");
    /// assert!(policy.tree(&SourceName::Role("clrek".into())).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tree(&self, source: &SourceName) -> Result<Tree, Unknown> {
        let policy = self.inner();
        let holder = policy.holder(source)?;
        let others = policy.without(source, &holder);
        let name = match source {
            SourceName::User(name) => name.as_str(),
            _ => "",
        };
        let licensed = policy.catalogue.licensed(|feature| policy.is_licensed(feature));
        let mut layers = Layers::new(policy, &licensed);
        let mut survey = Survey {
            catalogue: &policy.catalogue,
            source,
            all: TraceBuilder::new(&mut layers, name, &holder),
            others: others.as_ref().map(|others| TraceBuilder::new(&mut layers, name, others)),
            next: 0,
        };
        let roots = survey.nodes(&policy.catalogue.document.permissions, "");
        Ok(Tree {
            source: SourceRef { source: source.clone(), label: policy.label(source) },
            admin: holder.admin,
            suspended: holder.suspended,
            roots,
        })
    }
}

impl Inner {
    /// Somebody who holds a source and nothing else or, for a user, that user.
    pub(crate) fn holder(&self, source: &SourceName) -> Result<Class, Unknown> {
        let Some((kind, name)) = source.shared() else {
            // As with questions, no other user's name is suggested.
            let name = source.name().unwrap_or_default();
            let slot = self.users.find(name).ok_or_else(|| Unknown::among("user", name, []))?;
            return Ok(self.users[slot].clone());
        };
        let found = self.sources.find(kind, name).ok_or_else(|| {
            let known = self.sources.of(kind).map(|(_, name, _)| name);
            Unknown::among(kind.noun(), name, known)
        })?;
        let sources = [found].into_iter().filter(|&id| id != SourceId::GLOBAL).collect();
        Ok(Class { sources, ..Class::default() })
    }

    /// Somebody who holds all but that source itself, if there is anything else.
    fn without(&self, source: &SourceName, holder: &Class) -> Option<Class> {
        Some(match source {
            SourceName::Global => return None,
            SourceName::User(_) => Class { statements: None, ..holder.clone() },
            _ => {
                let included = holder.sources.iter().flat_map(|&id| &self.sources[id].includes);
                Class { sources: included.copied().collect(), ..Class::default() }
            }
        })
    }

    pub(crate) fn label(&self, source: &SourceName) -> Option<String> {
        let label = match source.shared() {
            Some((kind, name)) => self.sources[self.sources.find(kind, name)?].label.as_deref(),
            None => self.users.holder(self.users.find(source.name()?)?)?.label,
        };
        label.map(Into::into)
    }
}

/// A walk over the catalogue, in the order of its nodes' numbers.
struct Survey<'a> {
    catalogue: &'a Catalogue,
    source: &'a SourceName,
    /// With all that the holder of the source has.
    all: TraceBuilder<'a, NoObject>,
    /// Without the source itself.
    others: Option<TraceBuilder<'a, NoObject>>,
    next: NodeId,
}

impl Survey<'_> {
    fn nodes(&mut self, permissions: &[document::Permission], above: &str) -> Vec<Node> {
        permissions.iter().map(|permission| self.node(permission, above)).collect()
    }

    fn node(&mut self, permission: &document::Permission, above: &str) -> Node {
        let document::Permission { key, label, description, scopes, children, .. } = permission;
        let mut node = self.bare(key, label, description, above);
        let path = node.permission.name.clone();
        match node.form {
            Form::Heading => {
                node.children = self.nodes(children, &path);
                let mut beneath: Vec<&Node> = node.children.iter().collect();
                let mut granted: Vec<&Node> = Vec::new();
                while let Some(node) = beneath.pop() {
                    match node.form {
                        Form::Heading | Form::Scoped => {}
                        _ => granted.push(node),
                    }
                    beneath.extend(&node.children);
                }
                node.own.says = common(granted.iter().map(|node| &node.own.says));
                node.inherited.says = common(granted.iter().map(|node| &node.inherited.says));
            }
            Form::Scoped => {
                let scopes = scopes
                    .iter()
                    .map(|scope| self.bare(&scope.key, &scope.label, &scope.description, &path));
                node.children = scopes.collect();
                node.own = of_one_mind(node.children.iter().map(|scope| &scope.own));
                node.inherited = of_one_mind(node.children.iter().map(|scope| &scope.inherited));
                let beneath = self.nodes(children, &path);
                node.children.extend(beneath);
            }
            Form::Plain | Form::Graded | Form::Scope => {
                node.children = self.nodes(children, &path);
            }
        }
        node
    }

    /// The next node, without what is beneath it.
    fn bare(
        &mut self,
        key: &str,
        label: &Option<String>,
        description: &Option<String>,
        above: &str,
    ) -> Node {
        let id = self.next;
        self.next = id.saturating_add(1);
        let (form, levels) = match &self.catalogue.node(id).form {
            NodeForm::Heading => (Form::Heading, &[][..]),
            NodeForm::Plain => (Form::Plain, &[][..]),
            NodeForm::Graded(levels) => (Form::Graded, &**levels),
            NodeForm::Scoped(_) => (Form::Scoped, &[][..]),
            NodeForm::Scope(..) => (Form::Scope, &[][..]),
        };
        let name = match above {
            "" => key.to_owned(),
            above => format!("{above}.{key}"),
        };
        let mut node = Node {
            permission: Named { name, label: label.clone() },
            description: description.clone(),
            form,
            levels: levels.iter().map(ToString::to_string).collect(),
            own: Word::default(),
            inherited: Word::default(),
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
        node.own = own(&granting, self.source);
        node.implied_by = granting.implied_by;
        if let Some(others) = &self.others {
            node.inherited = decided(others.grant(id));
        }
        node
    }
}

/// What a source itself says of a permission.
fn own(granting: &Grant, source: &SourceName) -> Word {
    let own = |statements: &[Statement]| -> Vec<Statement> {
        let own = statements.iter().filter(|statement| statement.source.source == *source);
        own.cloned().collect()
    };
    let forbids = own(&granting.forbidden_by);
    match (forbids.is_empty(), granting.implied_by.is_empty()) {
        (false, _) => word(forbids),
        // The statements are about what implies it.
        (true, false) => Word::default(),
        (true, true) => word(own(&granting.statements)),
    }
}

/// What is said of a permission, all sources together.
fn decided(granting: Grant) -> Word {
    let Grant { mut statements, forbidden_by, implied_by, .. } = granting;
    statements.retain(|statement| statement.decides);
    match (forbidden_by.is_empty(), implied_by.is_empty()) {
        (false, _) => word(forbidden_by),
        (true, false) => Word::default(),
        (true, true) => word(statements),
    }
}

/// What statements of the same effect say.
fn word(by: Vec<Statement>) -> Word {
    let says = match by.first().map(|statement| &statement.effect) {
        None => Says::Nothing,
        Some(Effect::Allow) => Says::Allowed,
        Some(Effect::Deny) => Says::Denied,
        Some(Effect::Forbid) => Says::Forbidden,
        Some(Effect::Level(level)) => Says::Level(level.clone()),
    };
    Word { says, by }
}

fn of_one_mind<'n>(words: impl Iterator<Item = &'n Word> + Clone) -> Word {
    let says = common(words.clone().map(|word| &word.says));
    let mut words = words;
    let by = words.next().map(|word| word.by.clone()).unwrap_or_default();
    let same = words.all(|word| word.by == by);
    Word { says, by: if same { by } else { Vec::new() } }
}

fn common<'n>(mut says: impl Iterator<Item = &'n Says>) -> Says {
    let Some(first) = says.next() else {
        return Says::Nothing;
    };
    if says.all(|next| next == first) { first.clone() } else { Says::Mixed }
}
