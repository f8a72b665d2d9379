//! What one user holds, whatever the object: rules 1 to 6.

use std::collections::{BTreeMap, BTreeSet};

use grantree::Document;
use grantree::document::{Bound, Statements, UserEntry};

use super::catalogue::{Catalogue, Form, Need, texts};

/// What a source says of a permission, the lowest result first. An `allow` is
/// the highest level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    Deny,
    Level(usize),
}

/// A user with all that follows from the user's sources.
pub struct Holder<'a> {
    pub name: &'a str,
    pub user: &'a UserEntry,
    /// The user's groups and the groups beneath them.
    pub groups: BTreeSet<&'a str>,
    /// The user's sources by tier: global, profile, roles and approval groups,
    /// the user's own. Within the role tier they stand in the order of rule 8.
    pub tiers: [Vec<&'a Statements>; 4],
    /// Rules 1 and 2: what is said of a permission, if anything is.
    pub said: BTreeMap<String, Said>,
    /// Rules 2 to 4: what is granted, each with its level (1 where not graded).
    pub granted: BTreeMap<String, usize>,
    /// Rules 5 and 6: what of it is effective.
    pub effective: BTreeMap<String, usize>,
}

impl<'a> Holder<'a> {
    pub fn new(
        document: &'a Document,
        catalogue: &Catalogue<'_>,
        name: &'a str,
        user: &'a UserEntry,
    ) -> Holder<'a> {
        let mut holder = Holder {
            name,
            user,
            groups: groups(document, user),
            tiers: tiers(document, user),
            said: BTreeMap::new(),
            granted: BTreeMap::new(),
            effective: BTreeMap::new(),
        };
        holder.said = catalogue
            .grantable()
            .filter_map(|path| Some((path.to_owned(), holder.decide(catalogue, path)?)))
            .collect();
        holder.granted = holder.grant(catalogue);
        holder.effective = if user.suspended {
            BTreeMap::new()
        } else if user.admin {
            // "An admin holds every licensed permission, graded ones at the
            // highest level; forbids and gates don't apply."
            catalogue
                .grantable()
                .filter(|path| catalogue.is_licensed(path))
                .map(|path| (path.to_owned(), catalogue.highest(path)))
                .collect()
        } else {
            gate(catalogue, &holder.granted)
        };
        holder
    }

    /// Rule 2: "The most specific tier that says anything about a permission
    /// decides it. In the role tier any deny wins, else the most generous
    /// statement." The other tiers have one source.
    fn decide(&self, catalogue: &Catalogue<'_>, path: &str) -> Option<Said> {
        self.tiers.iter().rev().find_map(|tier| {
            let said: Vec<Said> =
                tier.iter().filter_map(|source| says(catalogue, source, path)).collect();
            if said.contains(&Said::Deny) { Some(Said::Deny) } else { said.into_iter().max() }
        })
    }

    /// Rule 3: "A forbid in any of the user's sources beats every allow", and
    /// rule 1: "any match forbids".
    pub fn is_forbidden(&self, catalogue: &Catalogue<'_>, path: &str) -> bool {
        self.tiers.iter().flatten().any(|source| {
            texts(&source.forbid).any(|pattern| catalogue.nearness(pattern, path).is_some())
        })
    }

    /// Rules 2 to 4. "What is granted by now (graded: above the lowest level)
    /// grants what it implies, transitively, wherever no source of the user says
    /// anything of that permission and it is neither forbidden nor unlicensed.
    /// Where several implications reach one graded permission, the highest level
    /// counts."
    fn grant(&self, catalogue: &Catalogue<'_>) -> BTreeMap<String, usize> {
        let possible =
            |path: &str| !self.is_forbidden(catalogue, path) && catalogue.is_licensed(path);
        let mut granted: BTreeMap<String, usize> = self
            .said
            .iter()
            .filter_map(|(path, said)| match said {
                Said::Level(level) if *level > 0 && possible(path) => Some((path.clone(), *level)),
                _ => None,
            })
            .collect();
        loop {
            let implied: Vec<Need> = granted
                .keys()
                .flat_map(|path| implied(catalogue, path))
                .filter(|need| !self.said.contains_key(&need.path) && possible(&need.path))
                .filter(|need| granted.get(&need.path).is_none_or(|&level| level < need.level))
                .collect();
            if implied.is_empty() {
                return granted;
            }
            for Need { path, level } in implied {
                let known = granted.entry(path).or_default();
                *known = level.max(*known);
            }
        }
    }

    /// Whether the user holds what something needs, objects left aside.
    pub fn has(&self, catalogue: &Catalogue<'_>, need: &Need) -> bool {
        is_met(catalogue, &self.effective, need)
    }

    /// Rule 8: the bounds that decide an attribute, of which one has to pass:
    /// those of the most specific tier that states any.
    pub fn bounds(&self, kind: &str, attribute: &str) -> Vec<&'a Bound> {
        let name = format!("{kind}.{attribute}");
        let stated = |tier: &Vec<&'a Statements>| -> Vec<&'a Bound> {
            tier.iter().filter_map(|source| source.bounds.get(&name)).collect()
        };
        self.tiers.iter().rev().map(stated).find(|bounds| !bounds.is_empty()).unwrap_or_default()
    }
}

/// Rule 1: what one source says of one permission. "Of the matching patterns the
/// longest base wins; on the same base exact beats `*` beats `**`; on a tie the
/// lowest result, from the lowest: deny, the lowest level, except, the levels above it,
/// allow. Where an `except` wins, the source says nothing of the permission."
pub fn says(catalogue: &Catalogue<'_>, source: &Statements, path: &str) -> Option<Said> {
    let allow =
        texts(&source.allow).map(|pattern| (pattern, Some(Said::Level(catalogue.highest(path)))));
    let except = texts(&source.except).map(|pattern| (pattern, None));
    let deny = texts(&source.deny).map(|pattern| (pattern, Some(Said::Deny)));
    let levels = source.levels.iter().filter_map(|(pattern, level)| {
        // "It passes over … a `levels` pattern over permissions that don't have
        // that level."
        let levels = catalogue.node(path).levels;
        let level = levels.iter().position(|known| known == level)?;
        Some((pattern, Some(Said::Level(level))))
    });
    let matching: Vec<_> = allow
        .chain(except)
        .chain(deny)
        .chain(levels)
        .filter_map(|(pattern, said)| Some((catalogue.nearness(pattern, path)?, said)))
        .collect();
    let nearest = matching.iter().map(|(nearness, _)| *nearness).max()?;
    let tied = matching.into_iter().filter(|(nearness, _)| *nearness == nearest);
    tied.map(|(_, said)| said).min_by_key(|said| match said {
        Some(Said::Deny) => (0, 0),
        Some(Said::Level(0)) => (1, 0),
        None => (2, 0),
        Some(Said::Level(level)) => (3, *level),
    })?
}

fn implied(catalogue: &Catalogue<'_>, path: &str) -> Vec<Need> {
    let implies = catalogue.node(path).implies.iter();
    implies.map(|text| catalogue.need(text).expect("a known permission")).collect()
}

/// Rule 5: "the effective permissions are the largest set in which every
/// member's gate parent, all that it `requires` and all that it `implies`
/// (unlicensed ones aside) are effective too": what lacks any of them is taken
/// out until nothing is. Unlicensed ones are set aside among what is implied
/// only; an unlicensed permission that is required gates.
fn gate(catalogue: &Catalogue<'_>, granted: &BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    let mut effective = granted.clone();
    loop {
        let failing: Vec<String> = effective
            .keys()
            .filter(|path| {
                let gates = catalogue.gates(path);
                let implied = implied(catalogue, path);
                gates
                    .iter()
                    .chain(implied.iter().filter(|need| catalogue.is_licensed(&need.path)))
                    .any(|need| !is_met(catalogue, &effective, need))
            })
            .cloned()
            .collect();
        if failing.is_empty() {
            return effective;
        }
        for path in failing {
            effective.remove(&path);
        }
    }
}

/// Whether one permission is effective at the level needed: "a scoped node is
/// effective where any of its scopes is".
fn is_met(catalogue: &Catalogue<'_>, effective: &BTreeMap<String, usize>, need: &Need) -> bool {
    match catalogue.node(&need.path).form {
        Form::Scoped => catalogue.scopes(&need.path).any(|scope| effective.contains_key(scope)),
        _ => effective.get(&need.path).is_some_and(|&level| level >= need.level),
    }
}

fn tiers<'a>(document: &'a Document, user: &'a UserEntry) -> [Vec<&'a Statements>; 4] {
    let profile = user.profile.iter().map(|name| {
        let profile = document.profiles.get(name).expect("a known profile");
        &profile.statements
    });
    // Rule 8: "each role before those that it includes (depth first, first
    // visit), approval groups last".
    let mut roles = Vec::new();
    for role in &user.roles {
        visit(document, role, &mut roles);
    }
    let roles = roles.into_iter().map(|name| {
        let role = document.roles.get(name).expect("a known role");
        &role.source.statements
    });
    let approval_groups = user.approval_groups.iter().map(|name| {
        let group = document.approval_groups.get(name);
        &group.expect("a known approval group").statements
    });
    [
        vec![&document.global],
        profile.collect(),
        roles.chain(approval_groups).collect(),
        vec![&user.statements],
    ]
}

/// "A role that `includes` others brings them along, transitively."
pub fn visit<'a>(document: &'a Document, role: &'a str, visited: &mut Vec<&'a str>) {
    if visited.contains(&role) {
        return;
    }
    visited.push(role);
    for included in &document.roles.get(role).expect("a known role").includes {
        visit(document, included, visited);
    }
}

fn groups<'a>(document: &'a Document, user: &'a UserEntry) -> BTreeSet<&'a str> {
    let mut groups: BTreeSet<&str> = texts(&user.groups).collect();
    loop {
        let beneath: Vec<&str> = document
            .groups
            .iter()
            .filter(|(name, group)| {
                let parent = group.parent.as_deref();
                parent.is_some_and(|parent| groups.contains(parent)) && !groups.contains(name)
            })
            .map(|(name, _)| name)
            .collect();
        if beneath.is_empty() {
            return groups;
        }
        groups.extend(beneath);
    }
}
