//! "May do": the abilities of users, compared (section 5, under `no_escalation`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::capacity::Capacity;
use super::super::catalogue::{Catalogue, Form, Kind, Levels, Need};
use super::super::json::{entries, is_true, list, texts};
use super::super::policy::Policy;
use super::super::terms::Terms;
use super::bounds::{Joined, is_within};

/// An answer, where the design leaves some open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likely {
    No,
    Open,
    Yes,
}

impl Likely {
    pub fn from(is: bool) -> Likely {
        if is { Likely::Yes } else { Likely::No }
    }

    pub fn not(self) -> Likely {
        match self {
            Likely::No => Likely::Yes,
            Likely::Open => Likely::Open,
            Likely::Yes => Likely::No,
        }
    }

    pub fn any(answers: impl IntoIterator<Item = Likely>) -> Likely {
        let mut best = Likely::No;
        for answer in answers {
            best = best.max(answer);
            if best == Likely::Yes {
                break;
            }
        }
        best
    }

    pub fn all(answers: impl IntoIterator<Item = Likely>) -> Likely {
        Likely::any(answers.into_iter().map(Likely::not)).not()
    }
}

/// A document under a licence, for comparing users in it.
pub struct Side {
    pub policy: Policy,
}

impl Side {
    pub fn new(document: &Value, licence: &Value) -> Side {
        let mut seen = document.clone();
        seen["licence"] = licence.clone();
        Side { policy: Policy::new(&seen) }
    }

    /// A document under the licences that count: "the licence after the change and … one
    /// that has every feature".
    pub fn both(document: &Value, after: &Value) -> [Side; 2] {
        let every = json!({"features": Catalogue::new(document).all_features()});
        [&after["licence"], &every].map(|licence| Side::new(document, licence))
    }

    /// The abilities of somebody with a user's entry.
    pub fn ability(&self, entry: &Value) -> Ability<'_> {
        let ordinary = Capacity::ordinary(&self.policy, entry);
        let admin = is_true(entry, "admin");
        // Rule 9: "An admin needs no assignment."
        let assigned = entries(&entry["assignments"]).filter(|_| !admin);
        let assigned: Vec<Capacity> =
            assigned.map(|(_, it)| Capacity::assigned(&self.policy, &ordinary, it)).collect();
        let capacities = [ordinary].into_iter().chain(assigned);
        Ability {
            side: self,
            admin,
            groups: list(entry, "groups"),
            capacities: capacities.map(|it| Acting::new(&self.policy, it, admin)).collect(),
        }
    }
}

/// The abilities of a user, "suspension left aside".
pub struct Ability<'s> {
    side: &'s Side,
    admin: bool,
    groups: Vec<String>,
    pub capacities: Vec<Acting>,
}

/// A capacity, and what it answers.
pub struct Acting {
    capacity: Capacity,
    answered: Levels,
    /// What would be granted, forbids aside.
    granted: Levels,
}

impl Acting {
    fn new(policy: &Policy, capacity: Capacity, admin: bool) -> Acting {
        let catalogue = &policy.catalogue;
        if admin {
            let licensed = catalogue.grantable().filter(|path| catalogue.is_licensed(path));
            let all: Levels =
                licensed.map(|path| (path.to_owned(), catalogue.highest(path))).collect();
            return Acting { capacity, answered: all.clone(), granted: all };
        }
        let granted = capacity.granted_forbids_aside(catalogue);
        Acting { answered: capacity.answered().clone(), granted, capacity }
    }

    fn terms(&self) -> Option<&Terms> {
        self.capacity.assignment.as_ref().map(|it| &it.terms)
    }

    /// The level of a permission; of a scoped node, any of its scopes.
    pub fn level(&self, catalogue: &Catalogue, path: &str) -> usize {
        match catalogue.node(path).form {
            Form::Scoped => usize::from(catalogue.is_met(&Need::plain(path), &self.answered)),
            _ => self.answered.get(path).copied().unwrap_or(0),
        }
    }

    pub fn is_met(&self, catalogue: &Catalogue, need: &Need) -> bool {
        catalogue.is_met(need, &self.answered)
    }
}

/// The permissions of a catalogue, scoped nodes too.
pub fn paths(catalogue: &Catalogue) -> impl Iterator<Item = &str> {
    let permissions = catalogue.nodes().filter(|(_, node)| node.form != Form::Heading);
    permissions.map(|(path, _)| path)
}

/// Returns if one may do no more than another: "what is only granted is not counted".
pub fn may_no_more(one: &Ability<'_>, other: &Ability<'_>) -> Likely {
    Likely::all(
        one.capacities
            .iter()
            .flat_map(|acting| had(one, acting).map(|path| lies_within(path, one, acting, other))),
    )
}

/// The permissions that a capacity answers.
pub fn had<'a>(one: &'a Ability<'_>, acting: &'a Acting) -> impl Iterator<Item = &'a str> {
    let catalogue = &one.side.policy.catalogue;
    paths(catalogue).filter(|path| acting.level(catalogue, path) > 0)
}

/// "What it may do lies within one capacity that this user had …, whose terms cover that
/// capacity's terms."
pub fn lies_within(path: &str, one: &Ability<'_>, acting: &Acting, other: &Ability<'_>) -> Likely {
    Likely::any(other.capacities.iter().map(|wider| {
        if !covers(other, wider.terms(), one, acting.terms()) {
            return Likely::No;
        }
        Pair { one, acting, other, wider }.is_within(path)
    }))
}

/// "Behind a gate: what is only *granted* … was granted to the user before at that level, or
/// is something that the actor may do."
pub fn gains_behind_gates(
    one: &Ability<'_>,
    acting: &Acting,
    before: Option<&Ability<'_>>,
    actor: &Ability<'_>,
) -> bool {
    let is_behind = |(path, level): &(&String, &usize)| {
        acting.answered.get(*path).is_none_or(|answered| answered < *level)
    };
    let behind = acting.granted.iter().filter(is_behind);
    let reaches =
        |other: &Ability<'_>, path: &str, level: usize, counts: fn(&Acting) -> &Levels| {
            other.capacities.iter().any(|wider| {
                counts(wider).get(path).is_some_and(|&known| known >= level)
                    && covers(other, wider.terms(), one, acting.terms())
            })
        };
    behind.into_iter().any(|(path, &level)| {
        !before.is_some_and(|before| reaches(before, path, level, |it| &it.granted))
            && !reaches(actor, path, level, |it| &it.answered)
    })
}

/// Returns `true` if the terms of the last capacity cover others.
pub fn last_covers(known: &Ability<'_>, side: &Side, terms: Option<&Terms>) -> bool {
    let one = Ability { side, admin: false, groups: Vec::new(), capacities: Vec::new() };
    known.capacities.last().is_some_and(|it| covers(known, it.terms(), &one, terms))
}

/// The bounds of each capacity whose terms cover terms, on `kind.attribute`.
pub fn covering_bounds(
    actor: &Ability<'_>,
    side: &Side,
    terms: Option<&Terms>,
    attribute: &str,
) -> Vec<Joined> {
    let one = Ability { side, admin: false, groups: Vec::new(), capacities: Vec::new() };
    let covering = actor.capacities.iter().filter(|it| covers(actor, it.terms(), &one, terms));
    covering.map(|it| it.capacity.own_bounds(attribute)).collect()
}

/// "No terms cover all."
fn covers(
    other: &Ability<'_>,
    wide: Option<&Terms>,
    one: &Ability<'_>,
    narrow: Option<&Terms>,
) -> bool {
    let Some(wide) = wide else { return true };
    let policies = [&one.side.policy, &other.side.policy];
    let contains = |kind: &Kind, name: &str, wide: &Value, narrow: &Value| {
        // "Names within the names, for groups also beneath them, each by the tree of its own
        // side; bounds within the bounds."
        match kind.relations.get(name).map(String::as_str) {
            None => is_within(&[vec![narrow.clone()]], &vec![wide.clone()], &kind.attributes[name]),
            Some("group") => {
                let [narrow, wide] = [(policies[0], narrow), (policies[1], wide)]
                    .map(|(policy, names)| policy.with_beneath(&texts(names)));
                narrow.is_subset(&wide)
            }
            Some(_) => texts(narrow).iter().all(|name| texts(wide).contains(name)),
        }
    };
    let none = Terms::read(&Value::Null);
    wide.cover_those(policies[1], narrow.unwrap_or(&none), contains)
}

/// Two users, each in a capacity.
struct Pair<'a> {
    one: &'a Ability<'a>,
    acting: &'a Acting,
    other: &'a Ability<'a>,
    wider: &'a Acting,
}

/// A permission that another answers to, and the doors of it that the one has.
struct Step {
    path: String,
    doors: Vec<Need>,
    is_asked: bool,
}

impl Pair<'_> {
    fn catalogue(&self) -> &Catalogue {
        &self.one.side.policy.catalogue
    }

    /// "Its level and, of it and all that it answers to on the object, the effective scopes
    /// and the values that pass each check, taken together."
    fn is_within(&self, path: &str) -> Likely {
        let catalogue = self.catalogue();
        if self.acting.level(catalogue, path) > self.wider.level(catalogue, path) {
            return Likely::No;
        }
        // Rule 6: of an admin "the object is not looked at".
        if self.one.admin || self.other.admin {
            return Likely::from(self.other.admin);
        }
        let Some(kind) = &catalogue.node(path).kind else { return Likely::Yes };
        let mut steps = self.steps(path);
        steps.retain(|step| catalogue.node(&step.path).kind.as_ref() == Some(kind));
        if !steps.iter().all(|step| self.has_scopes(step)) {
            return Likely::No;
        }
        self.pass_no_more(&steps)
    }

    /// A permission and all that it answers to: what a scope requires counts where the one
    /// has the scope.
    fn steps(&self, path: &str) -> Vec<Step> {
        let catalogue = self.catalogue();
        let mut steps: Vec<Step> = Vec::new();
        let asked = Need { path: path.to_owned(), level: self.acting.level(catalogue, path) };
        let mut open = vec![(asked, true)];
        while let Some((need, is_asked)) = open.pop() {
            let levels =
                if is_asked { &self.acting.answered } else { &self.acting.capacity.effective };
            let doors = catalogue.doors(&need, levels);
            let is_known = |step: &Step| step.path == need.path && step.doors == doors;
            if steps.iter().any(is_known) {
                continue;
            }
            let mut gates = catalogue.node_gates(&need.path);
            gates.extend(doors.iter().flat_map(|door| catalogue.scope_gates(&door.path)));
            // "(A single scope named in `requires` need only be effective; nothing is followed
            // beyond it.)"
            gates.retain(|gate| catalogue.node(&gate.path).form != Form::Scope);
            open.extend(gates.into_iter().map(|gate| (gate, false)));
            steps.push(Step { path: need.path, doors, is_asked });
        }
        steps
    }

    /// "The effective scopes … within", and "where one of those scopes looks at a relation to
    /// groups, the groups are compared too".
    fn has_scopes(&self, step: &Step) -> bool {
        let catalogue = self.catalogue();
        let levels =
            if step.is_asked { &self.wider.answered } else { &self.wider.capacity.effective };
        let mut scopes =
            step.doors.iter().filter(|door| catalogue.node(&door.path).form == Form::Scope);
        scopes.all(|scope| catalogue.is_met(scope, levels) && self.reaches_no_more(&scope.path))
    }

    /// "For a scope that accepts `me` of it, the user's groups and all beneath them are among
    /// those of the one compared with; for one that accepts `other` or `none`, the other way
    /// round."
    fn reaches_no_more(&self, scope: &str) -> bool {
        let node = self.catalogue().node(scope);
        let kind = &self.catalogue().kinds[node.kind.as_ref().expect("a scope is on a kind")];
        let [one, other] = [self.one, self.other].map(|it| it.side.policy.with_beneath(&it.groups));
        let of_groups = |name: &str| kind.relations.get(name).is_some_and(|of| of == "group");
        node.when.iter().filter(|(name, _)| of_groups(name)).all(|(_, accepted)| {
            let accepts = |state: &str| {
                let mut states = accepted.as_array().into_iter().flatten();
                accepted == state || states.any(|known| known == state)
            };
            let by_others = accepts("other") || accepts("none");
            (!accepts("me") || one.is_subset(&other)) && (!by_others || other.is_subset(&one))
        })
    }

    /// "The values that pass each check, taken together": whatever passes all checks of the
    /// one passes each of the other. Certain is that where some check of the same permission,
    /// or of the one asked for, lets no more pass; it is left open to look at all of them.
    fn pass_no_more(&self, steps: &[Step]) -> Likely {
        let mut checks: BTreeMap<&str, Vec<(&Step, &Need)>> = BTreeMap::new();
        for step in steps {
            for attribute in &self.catalogue().node(&step.path).checks {
                let doors = step.doors.iter().map(|door| (step, door));
                checks.entry(attribute).or_default().extend(doors);
            }
        }
        let judge = |(attribute, doors): (&&str, &Vec<(&Step, &Need)>)| {
            let kind = self.catalogue().node(&doors[0].1.path).kind.as_ref().expect("a kind");
            let bound_type = &self.catalogue().kinds[kind].attributes[*attribute];
            let [one, other] = [(self.one, self.acting), (self.other, self.wider)]
                .map(|(of, acting)| bounds_of(of, acting, attribute, doors));
            let asked = one.iter().zip(doors).filter(|(_, (step, _))| step.is_asked);
            let asked: Vec<Joined> = asked.map(|(bounds, _)| bounds.clone()).collect();
            Likely::all(one.iter().zip(&other).map(|(bounds, other)| {
                let mut alone = asked.iter().chain([bounds]);
                if alone.any(|it| is_within(std::slice::from_ref(it), other, bound_type)) {
                    Likely::Yes
                } else if is_within(&one, other, bound_type) {
                    Likely::Open
                } else {
                    Likely::No
                }
            }))
        };
        Likely::all(checks.iter().filter(|(_, doors)| !doors.is_empty()).map(judge))
    }
}

/// The bounds of each door on an attribute.
fn bounds_of(
    of: &Ability<'_>,
    acting: &Acting,
    attribute: &str,
    doors: &[(&Step, &Need)],
) -> Vec<Joined> {
    let catalogue = &of.side.policy.catalogue;
    doors.iter().map(|(_, door)| acting.capacity.bounds(catalogue, door, attribute)).collect()
}
