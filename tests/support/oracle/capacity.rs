//! One way in which a user acts: rules 1 to 6, 8 and 9, objects left aside.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::bound::can_pass;
use super::catalogue::{Catalogue, Form, Levels, Need};
use super::policy::{Policy, Tier};
use super::reason::Reason;
use super::source::{Said, Source};
use super::terms::Terms;

/// A capacity.
pub struct Capacity {
    /// The tiers that say of permissions, the most general first.
    tiers: Vec<Tier>,
    /// The tiers that state bounds for everything not carried.
    ordinary: Vec<Tier>,
    /// Rules 2 to 4.
    granted: Levels,
    /// Rule 5.
    pub effective: Levels,
    /// Of an assignment's capacity.
    pub assignment: Option<Assignment>,
}

/// The part of a capacity that an assignment brings.
pub struct Assignment {
    /// The tiers that state bounds for the carried permissions.
    tiers: Vec<Tier>,
    /// The permissions that it carries, up to a level.
    carried: Levels,
    pub terms: Terms,
}

impl Capacity {
    /// The ordinary capacity of a user.
    pub fn ordinary(policy: &Policy, user: &Value) -> Capacity {
        let profile = user["profile"].as_str().map(|name| policy.profiles[name].clone());
        Capacity::new(
            &policy.catalogue,
            vec![
                vec![policy.global.clone()],
                Vec::from_iter(profile),
                policy.role_tier(user),
                vec![Rc::new(Source::read(&policy.catalogue, user))],
            ],
        )
    }

    /// An assignment's: "the user with these added to the role tier (after the ordinary
    /// ones), but without other assignments".
    pub fn assigned(policy: &Policy, ordinary: &Capacity, assignment: &Value) -> Capacity {
        let catalogue = &policy.catalogue;
        // "An assignment's *own sources* are its roles with what they include, its
        // approval groups, and its own statements."
        let mut own = policy.role_tier(assignment);
        own.push(Rc::new(Source::read(catalogue, assignment)));
        let mut tiers = ordinary.tiers.clone();
        tiers[2].extend(own.iter().cloned());
        let mut capacity = Capacity::new(catalogue, tiers);
        capacity.ordinary = ordinary.tiers.clone();
        // "What its own sources state is a tier of its own, between the role tier of the
        // ordinary sources and the user."
        let mut bounds = ordinary.tiers.clone();
        bounds.insert(3, own.clone());
        capacity.assignment = Some(Assignment {
            tiers: bounds,
            carried: carried(catalogue, &capacity.effective, &own),
            terms: Terms::read(assignment),
        });
        capacity
    }

    fn new(catalogue: &Catalogue, tiers: Vec<Tier>) -> Capacity {
        let granted = grant(catalogue, &tiers);
        Capacity {
            ordinary: tiers.clone(),
            effective: gate(catalogue, &granted),
            tiers,
            granted,
            assignment: None,
        }
    }

    /// Rules 2 to 4: the levels that are granted.
    pub fn granted(&self) -> &Levels {
        &self.granted
    }

    /// Rule 2: the word of all sources on a permission.
    pub fn said(&self, path: &str) -> Option<Said> {
        decide(&self.tiers, path)
    }

    /// Rule 3.
    pub fn is_forbidden(&self, path: &str) -> bool {
        is_forbidden(&self.tiers, path)
    }

    /// "In the assignment's capacity only what is carried is answered yes; all else that
    /// is effective there serves as gates and requirements."
    pub fn answered(&self) -> &Levels {
        self.assignment.as_ref().map_or(&self.effective, |assignment| &assignment.carried)
    }

    /// Rule 8: the bounds that decide an attribute, of which one has to pass: those of
    /// the most specific tier that states any. A carried door has the assignment's;
    /// "anything else met as a gate keeps its ordinary bounds".
    pub fn bounds(&self, catalogue: &Catalogue, door: &Need, attribute: &str) -> Vec<Value> {
        let kind = catalogue.node(&door.path).kind.as_ref().expect("checks are on a kind");
        let name = format!("{kind}.{attribute}");
        match &self.assignment {
            Some(it) if !catalogue.is_met(door, &it.carried) => stated(&self.ordinary, &name),
            _ => self.own_bounds(&name),
        }
    }

    /// The bounds that decide `kind.attribute` for what the capacity answers.
    pub fn own_bounds(&self, name: &str) -> Vec<Value> {
        stated(self.assignment.as_ref().map_or(&self.ordinary, |it| &it.tiers), name)
    }

    /// What is granted (rule 4; in an assignment: carried, too), gates and forbids left
    /// aside.
    pub fn granted_forbids_aside(&self, catalogue: &Catalogue) -> Levels {
        let granted = grant(catalogue, &without_forbids(&self.tiers));
        match &self.assignment {
            Some(it) => carried(catalogue, &granted, &it.tiers[3]),
            None => granted,
        }
    }

    /// "Effective (in an assignment: carried, too), and every check, the kind's and its
    /// own, has a bound that some value could pass."
    pub fn is_open(&self, catalogue: &Catalogue, need: &Need) -> bool {
        let could_pass = |door: &Need| {
            catalogue
                .node(&door.path)
                .checks
                .iter()
                .all(|attribute| self.bounds(catalogue, door, attribute).iter().any(can_pass))
        };
        catalogue.doors(need, self.answered()).iter().any(could_pass)
    }

    /// Rules 1 to 6 for the ordinary capacity of a user who is no admin: `granted` means
    /// effective.
    pub fn why(&self, catalogue: &Catalogue, need: &Need) -> Reason {
        let path = need.path.as_str();
        if catalogue.node(path).form == Form::Scoped {
            // "Of a scoped node without an effective scope, the scope that came furthest
            // speaks." One that is effective came furthest of all.
            let scopes = catalogue.scopes(path).into_iter();
            let reasons = scopes.map(|scope| self.why(catalogue, &Need::plain(scope)));
            return reasons.max().expect("a scoped node has scopes");
        }
        if !catalogue.is_licensed(path) {
            Reason::Unlicensed
        } else if is_forbidden(&self.tiers, path) {
            Reason::Forbidden
        } else if decide(&self.tiers, path) == Some(Said::Deny) {
            Reason::Denied
        } else if !catalogue.is_met(need, &self.granted) {
            Reason::NotGranted
        } else if !catalogue.is_met(need, &self.effective) {
            Reason::Gated
        } else {
            Reason::Granted
        }
    }

    /// Rule 8, for settings: "the most specific tier that states one decides … the first
    /// role in the user's order that states it".
    pub fn setting(&self, name: &str) -> Option<Value> {
        let mut specific_first = self.tiers.iter().rev().flatten();
        specific_first.find_map(|source| source.settings.get(name)).cloned()
    }
}

/// Rule 8: the bounds of the most specific tier that states any.
fn stated(tiers: &[Tier], name: &str) -> Vec<Value> {
    let of_tier = |tier: &Tier| -> Vec<Value> {
        tier.iter().filter_map(|source| source.bounds.get(name)).cloned().collect()
    };
    let specific_first = tiers.iter().rev().map(of_tier);
    specific_first.into_iter().find(|bounds| !bounds.is_empty()).unwrap_or_default()
}

fn without_forbids(tiers: &[Tier]) -> Vec<Tier> {
    let of_tier = |tier: &Tier| -> Tier {
        let sources = tier
            .iter()
            .map(|source| Rc::new(Source { forbidden: BTreeSet::new(), ..Source::clone(source) }));
        sources.collect()
    };
    tiers.iter().map(of_tier).collect()
}

/// Rule 2: "The most specific tier that says anything about a permission decides it."
fn decide(tiers: &[Tier], path: &str) -> Option<Said> {
    tiers.iter().rev().find_map(|tier| join(tier, path))
}

/// Rule 2: "In the role tier any deny wins, else the most generous statement." The other
/// tiers have one source.
fn join(tier: &Tier, path: &str) -> Option<Said> {
    let said: Vec<Said> = tier.iter().filter_map(|source| source.said.get(path)).copied().collect();
    if said.contains(&Said::Deny) { Some(Said::Deny) } else { said.into_iter().max() }
}

/// Rule 3: "A forbid in any of the user's sources beats every allow."
fn is_forbidden(tiers: &[Tier], path: &str) -> bool {
    tiers.iter().flatten().any(|source| source.forbidden.contains(path))
}

/// Rules 2 to 4. "What is granted by now (graded: above the lowest level) grants what it
/// implies, transitively, wherever no source of the user says anything of that permission
/// and it is neither forbidden nor unlicensed. Where several implications reach one graded
/// permission, the highest level counts."
fn grant(catalogue: &Catalogue, tiers: &[Tier]) -> Levels {
    let is_possible = |path: &str| !is_forbidden(tiers, path) && catalogue.is_licensed(path);
    let mut granted = said_of(catalogue, |path| decide(tiers, path));
    granted.retain(|path, _| is_possible(path));
    spread(catalogue, granted, |path| decide(tiers, path).is_none() && is_possible(path))
}

/// The permissions that are said to be above their lowest level.
fn said_of(catalogue: &Catalogue, said: impl Fn(&str) -> Option<Said>) -> Levels {
    let above_lowest = |path| match said(path)? {
        Said::Level(level) if level > 0 => Some((str::to_owned(path), level)),
        _ => None,
    };
    catalogue.grantable().filter_map(above_lowest).collect()
}

/// Adds implied permissions, transitively, where implications may reach.
fn spread(catalogue: &Catalogue, mut levels: Levels, may_reach: impl Fn(&str) -> bool) -> Levels {
    loop {
        let implied = levels.keys().flat_map(|path| catalogue.implied(path));
        let is_new = |need: &Need| may_reach(&need.path) && !catalogue.is_met(need, &levels);
        let new: Vec<Need> = implied.filter(is_new).collect();
        if new.is_empty() {
            return levels;
        }
        for Need { path, level } in new {
            let known = levels.entry(path).or_default();
            *known = level.max(*known);
        }
    }
}

/// Rule 5: "the effective permissions are the largest set in which every member's gate
/// parent, all that it `requires` and all that it `implies` (unlicensed ones aside) are
/// effective too": what lacks any of them is taken out until nothing is. "Unlicensed ones
/// aside … speaks of implications only."
fn gate(catalogue: &Catalogue, granted: &Levels) -> Levels {
    let mut effective = granted.clone();
    loop {
        let is_open = |path: &str| {
            let gates = catalogue.gates(path);
            let mut implied = catalogue.implied(path);
            implied.retain(|need| catalogue.is_licensed(&need.path));
            gates.iter().chain(&implied).all(|need| catalogue.is_met(need, &effective))
        };
        let closed: Vec<String> = effective.keys().filter(|path| !is_open(path)).cloned().collect();
        if closed.is_empty() {
            return effective;
        }
        for path in closed {
            effective.remove(&path);
        }
    }
}

/// Rule 9: "It *carries* what is effective in its capacity and what its own sources, taken
/// as a role tier by themselves, grant (rules 1 and 2), or what something that it carries
/// implies (rule 4), unless its own sources say something of what is implied: a graded
/// permission up to the level so granted or implied."
fn carried(catalogue: &Catalogue, effective: &Levels, own: &Tier) -> Levels {
    let lower = |levels: Levels| -> Levels {
        let both = |(path, level): (String, usize)| {
            let level = level.min(*effective.get(&path)?);
            Some((path, level))
        };
        levels.into_iter().filter_map(both).collect()
    };
    let granted = lower(said_of(catalogue, |path| join(own, path)));
    // Only what is effective is carried, so implications reach nothing else: neither
    // through it nor from it.
    let is_reached = |path: &str| join(own, path).is_none() && effective.contains_key(path);
    lower(spread(catalogue, granted, is_reached))
}
