//! A smaller set of roles that changes nobody's answers.

use std::cmp::Reverse;

use serde::Serialize;

use super::{Granted, cover};
use crate::bits::BitSet;
use crate::document::{Document, Role, Source, Statements};
use crate::engine::Engine;
use crate::ids::SourceId;
use crate::names::{HashMap, HashSet, IndexMap};
use crate::policy::{Inner, Policy, SourceKind};

/// Roles that could take the place of others.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FewerRoles {
    /// The number of roles that could be replaced.
    pub before: usize,
    /// The number of roles that could take their place.
    pub after: usize,
    /// These roles, the one that most users would have first.
    pub roles: Vec<SuggestedRole>,
    /// The policy with them.
    pub document: Document,
}

/// A role that a smaller set has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SuggestedRole {
    /// Its name: that of a role which grants the same, or a new one.
    pub name: String,
    /// `true` if there is no such role yet.
    pub is_new: bool,
    /// The permissions that it grants, as `path` or `path:level`.
    pub permissions: Vec<String>,
    /// The number of users who would have it.
    pub users: usize,
}

impl Policy {
    /// Returns fewer roles that give every user what the present ones do, if it finds any.
    ///
    /// Replaced are roles that only grant: roles that deny, forbid, bound or set something, that
    /// are unique, protected, guarded or templates, that some guard or demotion names, or that an
    /// assignment or such a role brings along, stay as they are. The users' other sources do not
    /// matter.
    ///
    /// That nobody's answers change is proved by [`Engine::diff`], of two steps: users get the new
    /// roles besides their own, then lose those. The new ones list permissions, where patterns
    /// also grant what a catalogue adds under them later. Names, and whether they mean anything,
    /// are for people to decide.
    ///
    /// ```
    /// use grantree::{Document, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "a"}, {"key": "b"}, {"key": "c"}]},
    ///     "roles": {
    ///         "ab": {"allow": ["a", "b"]}, "ba": {"allow": ["b", "a"]},
    ///         "c": {"allow": ["c"]}, "abc": {"allow": ["**"]}},
    ///     "users": {
    ///         "ann": {"roles": ["ab"]}, "bob": {"roles": ["ba", "c"]},
    ///         "cyd": {"roles": ["abc"]}, "dan": {"roles": ["c"]}}
    /// }"#;
    /// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let fewer = policy.fewer_roles().unwrap();
    /// assert_eq!((fewer.before, fewer.after), (4, 2));
    /// assert_eq!(fewer.document.users.get("cyd").unwrap().roles, ["c", "ab"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn fewer_roles(&self) -> Option<FewerRoles> {
        let policy = self.inner();
        let replaceable = Replaceable::new(policy);
        let mut rows: IndexMap<BitSet, usize> = IndexMap::default();
        for (.., class) in policy.users.iter() {
            let granted = replaceable.granted(&class.sources);
            if let Some(granted) = granted.filter(|it| !it.is_empty()) {
                let users = rows.entry(granted).or_default();
                *users = users.saturating_add(1);
            }
        }
        let distinct: Vec<BitSet> = rows.keys().cloned().collect();
        let sets = cover::cover(&distinct, policy.catalogue.bits());
        let before = replaceable.0.len();
        if sets.len() >= before {
            return None;
        }
        let mut plan = Plan::new(policy, &replaceable, sets);
        let document = plan.document(self, &rows)?;
        plan.roles.sort_by_key(|role| Reverse(role.users));
        Some(FewerRoles { before, after: plan.roles.len(), roles: plan.roles, document })
    }
}

/// The roles in use that could be replaced, and what each grants with those that it includes.
struct Replaceable(IndexMap<SourceId, BitSet>);

impl Replaceable {
    fn new(policy: &Inner) -> Replaceable {
        let sources = &policy.sources;
        let held = policy.users.classes().flat_map(|(_, class)| &class.sources);
        let held: HashSet<SourceId> = held.copied().collect();
        let held: Vec<SourceId> = held.into_iter().collect();
        let in_use: HashSet<SourceId> = sources.closure(&held).into_iter().collect();
        let mut granted: IndexMap<SourceId, BitSet> = IndexMap::default();
        let mut staying: Vec<SourceId> = Vec::new();
        for (id, _, source) in sources.iter() {
            let it = Granted::by(&source.statements, &policy.catalogue);
            let is_special = source.unique
                || source.protected
                || source.template
                || source.assignable_by.is_some()
                || source.demoted_to.is_some();
            let is_plain = source.kind == SourceKind::Role && it.is_all && !is_special;
            if is_plain && in_use.contains(&id) {
                granted.insert(id, it.bits);
            } else {
                staying.push(id);
            }
            staying.extend(source.assignable_by.iter().flatten().chain(&source.demoted_to));
        }
        for (slot, ..) in policy.users.iter() {
            staying.extend(policy.users.own_sources(slot).flat_map(|(_, own)| own.sources.iter()));
        }
        // Whatever stays keeps what it includes, and includes nothing that goes.
        loop {
            let fixed: HashSet<SourceId> = sources.closure(&staying).into_iter().collect();
            let is_free = |id: SourceId| {
                let closure = sources.closure(&[id]);
                !fixed.contains(&id) && closure.iter().all(|it| granted.contains_key(it))
            };
            let left = granted.keys().copied().filter(|&id| !is_free(id));
            let left: Vec<SourceId> = left.collect();
            if left.is_empty() {
                break;
            }
            granted.retain(|id, _| !left.contains(id));
            staying.extend(left);
        }
        let with_included = |&id: &SourceId| {
            let mut bits = BitSet::new(policy.catalogue.bits());
            let closure = sources.closure(&[id]);
            closure.iter().filter_map(|it| granted.get(it)).for_each(|it| bits.union_with(it));
            (id, bits)
        };
        Replaceable(granted.keys().map(with_included).collect())
    }

    /// Returns what those among a user's sources grant together, if there is any.
    fn granted(&self, held: &[SourceId]) -> Option<BitSet> {
        let mut sets = held.iter().filter_map(|id| self.0.get(id));
        let mut all = sets.next()?.clone();
        sets.for_each(|set| all.union_with(set));
        Some(all)
    }
}

/// The roles that take the place of those that could be replaced.
struct Plan<'p> {
    policy: &'p Inner,
    replaceable: &'p Replaceable,
    sets: Vec<BitSet>,
    /// One for each set.
    roles: Vec<SuggestedRole>,
}

impl<'p> Plan<'p> {
    fn new(policy: &'p Inner, replaceable: &'p Replaceable, sets: Vec<BitSet>) -> Plan<'p> {
        let catalogue = &policy.catalogue;
        let mut numbers = 1_usize..;
        let roles = sets.iter().map(|set| {
            let known = replaceable.0.iter().find(|(_, granted)| *granted == set);
            let mut new = || {
                let mut names = numbers.by_ref().map(|number| format!("role_{number}"));
                names.find(|name| policy.sources.find(SourceKind::Role, name).is_none())
            };
            let name = match known {
                Some((&id, _)) => policy.sources.name(id).to_owned(),
                None => new().unwrap_or_default(),
            };
            let permissions = set.iter().map(|bit| catalogue.name_of(bit)).collect();
            SuggestedRole { name, is_new: known.is_none(), permissions, users: 0 }
        });
        let roles = roles.collect();
        Plan { policy, replaceable, sets, roles }
    }

    /// Returns the policy with these roles, if no answer differs, be it on the way there.
    fn document(&mut self, before: &Policy, rows: &IndexMap<BitSet, usize>) -> Option<Document> {
        let mut chosen: HashMap<&BitSet, Vec<usize>> = HashMap::default();
        for (row, users) in rows {
            let roles = cover::chosen(&self.sets, row);
            for &at in &roles {
                let role = self.roles.get_mut(at)?;
                role.users = role.users.saturating_add(*users);
            }
            chosen.insert(row, roles);
        }
        let mut both = Document::from(before);
        for (set, role) in self.sets.iter().zip(&self.roles) {
            let statements = self.statements(set);
            match both.roles.get_mut(&role.name) {
                Some(known) if known.includes.is_empty() => {}
                Some(known) => {
                    known.includes.clear();
                    known.source.statements = statements;
                }
                None => {
                    let source = Source { statements, ..Source::default() };
                    both.roles.push(role.name.clone(), Role { source, ..Role::default() });
                }
            }
        }
        for (name, user) in both.users.iter_mut() {
            let slot = self.policy.users.find(name)?;
            let class = &self.policy.users[slot];
            let granted = self.replaceable.granted(&class.sources);
            let roles = granted.and_then(|granted| chosen.get(&granted)).into_iter().flatten();
            let names = roles.filter_map(|&at| self.roles.get(at)).map(|role| &role.name);
            let new: Vec<String> = names.filter(|it| !user.roles.contains(it)).cloned().collect();
            user.roles.extend(new);
        }
        let engine = Engine::new(before);
        let is_same = |document: &Document| {
            let revised = before.revise(document.clone()).ok();
            revised.is_some_and(|it| engine.diff(&Engine::new(&it.policy)).is_empty())
        };
        if !is_same(&both) {
            return None;
        }
        let replaced: HashSet<&str> =
            self.replaceable.0.keys().map(|&id| self.policy.sources.name(id)).collect();
        let stays = |name: &str| {
            !replaced.contains(name) || self.roles.iter().any(|role| role.name == name)
        };
        let mut after = both;
        after.roles.retain(|name, _| stays(name));
        for (name, user) in after.users.iter_mut() {
            let slot = self.policy.users.find(name)?;
            let class = &self.policy.users[slot];
            let granted = self.replaceable.granted(&class.sources);
            let roles = granted.and_then(|granted| chosen.get(&granted)).into_iter().flatten();
            let names = roles.filter_map(|&at| self.roles.get(at)).map(|role| role.name.as_str());
            let names: HashSet<&str> = names.collect();
            user.roles.retain(|role| !replaced.contains(&**role) || names.contains(&**role));
        }
        is_same(&after).then_some(after)
    }

    /// Returns statements that grant exactly a set.
    fn statements(&self, set: &BitSet) -> Statements {
        let catalogue = &self.policy.catalogue;
        let mut statements = Statements::default();
        let mut levels: IndexMap<&str, &str> = IndexMap::default();
        for bit in set.iter() {
            let node = catalogue.node_of(bit);
            match node.level_name(node.level_of(bit) as usize) {
                Some(level) => drop(levels.insert(&node.path, level)),
                None => statements.allow.push(node.path.to_string()),
            }
        }
        let levels = levels.into_iter().map(|(path, level)| (path, level.to_owned()));
        statements.levels = levels.collect();
        statements
    }
}
