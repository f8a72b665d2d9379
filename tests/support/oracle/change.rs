//! Changes (section 5): if a change is accepted, and the document afterwards.
//!
//! A change is carried out on a copy of the document; each rule that it breaks is noted on
//! the way, and so is what an actor needs for it. Only if no rule has refused by then is
//! the result examined for what it lets users do.

mod actor;
mod bounds;
mod compare;
mod fit;
mod import;
pub mod meaning;
mod name;
mod ops;
mod outcome;
mod shape;
mod sources;
mod users;

use std::collections::BTreeSet;

use serde_json::Value;

use super::date::Today;
use super::json::{entries, is_true, list, text};
use super::policy::Policy;
use compare::Likely;
use name::{Kind, Name};

/// The rules that refuse: "where several refuse, the first in this order".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    Invalid,
    NotPermitted,
    Unknown,
    Exists,
    Protected,
    Unique,
    InUse,
    Conflict,
    LastAdmin,
    Separation,
    Escalation,
}

impl Rule {
    pub const ALL: [Rule; 11] = [
        Rule::Invalid,
        Rule::NotPermitted,
        Rule::Unknown,
        Rule::Exists,
        Rule::Protected,
        Rule::Unique,
        Rule::InUse,
        Rule::Conflict,
        Rule::LastAdmin,
        Rule::Separation,
        Rule::Escalation,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Rule::Invalid => "invalid",
            Rule::NotPermitted => "not_permitted",
            Rule::Unknown => "unknown",
            Rule::Exists => "exists",
            Rule::Protected => "protected",
            Rule::Unique => "unique",
            Rule::InUse => "in_use",
            Rule::Conflict => "conflict",
            Rule::LastAdmin => "last_admin",
            Rule::Separation => "separation",
            Rule::Escalation => "escalation",
        }
    }
}

/// What may become of a change. Where the design leaves more open than one outcome, all
/// of them are here.
pub struct Verdict {
    /// The document afterwards and the notes, if the change may be accepted.
    pub applied: Option<Outcome>,
    /// The rules that may refuse it.
    pub refused: BTreeSet<Rule>,
}

/// What a change makes of a document.
pub struct Outcome {
    pub policy: Value,
    /// What was left undone: `renamed roles.a b`, `unmet jobs`, `left out roles.a.allow[0]
    /// true`, the last for a restriction.
    pub notes: BTreeSet<String>,
}

impl Verdict {
    /// The codes of what may become of it.
    pub fn codes(&self) -> Vec<&'static str> {
        let applied = self.applied.iter().map(|_| "applied");
        applied.chain(self.refused.iter().map(|rule| rule.code())).collect()
    }
}

/// Judges a change, as a step of a test document has it: `{"as": "ann", "today": …,
/// "assign": {…}}`; without `as`, the host asks.
pub fn judge(document: &Value, question: &Value) -> Verdict {
    let is_change = |name: &str| !["as", "today"].contains(&name);
    let changes: Vec<_> = entries(question).filter(|(name, _)| is_change(name)).collect();
    let &[(kind, body)] = &*changes else { return refused(Rule::Invalid) };
    if !shape::is_change(kind, body) {
        return refused(Rule::Invalid);
    }
    let actor = text(question, "as");
    let mut attempt = Attempt {
        old: document,
        new: document.clone(),
        policy: Policy::new(document),
        today: text(question, "today").and_then(|today| Today::read(&today)),
        is_trusted: actor.as_ref().is_none_or(|actor| is_true(&document["users"][actor], "admin")),
        refusals: BTreeSet::new(),
        notes: BTreeSet::new(),
        needs: Needs::default(),
        given: Vec::new(),
        renamed: None,
        added: None,
    };
    attempt.carry_out(kind, body);
    attempt.judge(actor.as_deref())
}

fn refused(rule: Rule) -> Verdict {
    Verdict { applied: None, refused: BTreeSet::from([rule]) }
}

/// A change in progress.
struct Attempt<'a> {
    old: &'a Value,
    new: Value,
    /// The policy before the change.
    policy: Policy,
    today: Option<Today>,
    /// `true` if the host or an admin asks.
    is_trusted: bool,
    refusals: BTreeSet<Rule>,
    notes: BTreeSet<String>,
    needs: Needs,
    given: Vec<Given>,
    /// The former and the new name of a user.
    renamed: Option<(String, String)>,
    /// "A new user had nothing."
    added: Option<String>,
}

/// What an actor needs.
#[derive(Default)]
struct Needs {
    /// The kinds of change that governance must allow.
    kinds: BTreeSet<String>,
    /// What is "given, taken away or transferred", with what it includes; and what is
    /// "edited, renamed, deleted, replaced or made the default profile" itself.
    guarded: Vec<Name>,
    /// What "needs the right to assign it".
    rights: Vec<Name>,
    /// Each `assignable_by` that is stated.
    stated: Vec<Vec<String>>,
    /// "Only an admin" does this.
    for_admins: bool,
    /// The users whom the change concerns.
    concerned: Vec<String>,
    /// It concerns a user who is not known.
    concerns_unknown: bool,
    /// It "suspends, restores or removes" the concerned.
    displaces: bool,
    /// It renames them.
    renames: bool,
    /// The name and the groups of a user who is new, or gets other groups.
    settled: Option<(String, Vec<String>)>,
    /// "Only an admin" does this under `no_escalation`.
    escalates: bool,
    /// The list of governance whose holders are spared the comparisons.
    spared_by: Option<&'static str>,
    /// "`set_groups`, `add_user` and `set_group` name only the actor's groups."
    groups: Vec<String>,
    /// The end of what expires.
    before: Option<Today>,
}

/// "Each source … that the change creates, edits, imports or replaces, …, and each source,
/// assignment or set of own statements that it gives or edits for a user."
enum Given {
    Source(Name),
    To(String, Name),
    Own(String),
    Assignment(String, String),
}

impl Attempt<'_> {
    /// "Where several refuse, the first in this order."
    fn judge(mut self, actor: Option<&str>) -> Verdict {
        let mut open = BTreeSet::new();
        if let Some(actor) = actor {
            let others = self.refusals.first().copied();
            match self.permits(actor) {
                Likely::Yes => {}
                Likely::Open => open.extend([Some(Rule::NotPermitted), others]),
                Likely::No => self.refuse(Rule::NotPermitted),
            }
        }
        if self.refusals.is_empty() {
            self.keep_last_admin();
            self.keep_separation();
        }
        if let (Some(actor), true) = (actor, self.refusals.is_empty()) {
            match self.does_not_escalate(actor) {
                Likely::Yes => {}
                Likely::Open => drop(open.insert(Some(Rule::Escalation))),
                Likely::No => self.refuse(Rule::Escalation),
            }
        }
        let first = self.refusals.first().copied();
        let mut refused: BTreeSet<Rule> = open.into_iter().flatten().collect();
        // What is open counts only before what is certain.
        refused.retain(|rule| first.is_none_or(|first| *rule < first));
        refused.extend(first);
        drop_nulls(&mut self.new);
        let outcome = Outcome { policy: self.new, notes: self.notes };
        Verdict { applied: first.is_none().then_some(outcome), refused }
    }

    fn carry_out(&mut self, kind: &str, body: &Value) {
        match kind {
            "create" => self.create(body),
            "rename" => self.rename(body),
            "edit" => self.edit(body),
            "delete" => self.delete(body),
            "add_user" => self.add_user(body),
            "remove_user" => self.remove_user(&body["user"]),
            "assign" => self.assign(body),
            "revoke" => self.revoke(body),
            "transfer" => self.transfer(body),
            "set_assignment" => self.set_assignment(body),
            "expire" => self.expire(body),
            "set_default_profile" => self.set_default_profile(&body["profile"]),
            "set_admin" => self.set_admin(body),
            "set_suspended" => self.set_suspended(body),
            "set_groups" => self.set_groups(body),
            "set_group" => self.set_group(body),
            "set_licence" => self.set_licence(body),
            "import" => self.import(body),
            _ => panic!("an unknown kind: {kind}"),
        }
    }

    fn refuse(&mut self, rule: Rule) {
        self.refusals.insert(rule);
    }

    fn refuse_if(&mut self, refused: bool, rule: Rule) {
        if refused {
            self.refuse(rule);
        }
    }

    fn must(&mut self, judged: Result<(), Rule>) {
        if let Err(rule) = judged {
            self.refuse(rule);
        }
    }

    fn need(&mut self, kind: &str) {
        self.needs.kinds.insert(kind.to_owned());
    }

    /// "`create_`, `rename_`, `edit_`, `delete_`, `assign_`, `revoke_` with `profile`,
    /// `role`, `approval_group`; `edit_user`, `edit_global`, `rename_user`."
    fn need_for(&mut self, verb: &str, kind: Kind) {
        self.need(&format!("{verb}_{}", kind.word()));
    }

    /// Returns `true` if a source or a user is known.
    fn knows(&mut self, name: &Name) -> bool {
        let known = name.find(self.old).is_some();
        self.refuse_if(!known, Rule::Unknown);
        known
    }

    fn knows_role(&mut self, role: &str) -> bool {
        self.knows(&Name::new(Kind::Role, role))
    }

    /// The source of a change, if it is one that users have; with any other, the change is
    /// invalid.
    fn bundled(&mut self, source: &Value) -> Option<Name> {
        let name = Name::read(source);
        let is_bundled = name.kind.is_bundled();
        self.refuse_if(!is_bundled, Rule::Invalid);
        is_bundled.then_some(name)
    }

    /// A known user whom the change concerns. "Only an admin makes, unmakes, edits, renames,
    /// suspends, restores, removes or regroups an admin, and gives to one or takes from one."
    fn concerns(&mut self, user: &str) -> bool {
        let known = self.knows(&Name::new(Kind::User, user));
        if known {
            self.needs.concerned.push(user.to_owned());
            self.touches(user);
        }
        self.needs.concerns_unknown |= !known;
        known
    }

    fn touches(&mut self, user: &str) {
        self.needs.for_admins |= is_true(&self.old["users"][user], "admin");
    }

    /// "Giving a role gives what it includes."
    fn moves(&mut self, source: &Name) {
        self.needs.guarded.extend(source.with_included(&self.policy));
    }

    /// "An assignment is given and taken with what it holds."
    fn moves_content(&mut self, assignment: &Value) {
        for name in name::held(assignment) {
            self.moves(&name);
        }
    }

    /// "What is `protected` is never edited, renamed, deleted or replaced."
    fn must_be_unprotected(&mut self, source: &Name) {
        let protected = source.find(self.old).is_some_and(|it| is_true(it, "protected"));
        self.refuse_if(protected, Rule::Protected);
    }

    fn is_unique(&self, source: &Name) -> bool {
        source.kind == Kind::Role
            && source.find(self.old).is_some_and(|role| is_true(role, "unique"))
    }

    /// The holders of a unique role; of anything else, none.
    fn unique_holders(&self, source: &Name) -> Vec<String> {
        if self.is_unique(source) { name::holders(self.old, source) } else { Vec::new() }
    }

    fn must_have_no_ring_of_roles(&mut self) {
        let ring = entries(&self.new["roles"])
            .any(|(name, _)| is_in_ring(name, |role| list(&self.new["roles"][role], "includes")));
        self.refuse_if(ring, Rule::Invalid);
    }
}

/// Drops what is absent, and what looking for it has left.
fn drop_nulls(value: &mut Value) {
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, value| !value.is_null());
        map.iter_mut().for_each(|(_, value)| drop_nulls(value));
    }
}

/// Returns `true` if something leads back to itself.
fn is_in_ring(name: &str, next: impl Fn(&str) -> Vec<String>) -> bool {
    let mut reached = next(name);
    let mut at = 0;
    while at < reached.len() {
        for name in next(&reached[at]) {
            if !reached.contains(&name) {
                reached.push(name);
            }
        }
        at += 1;
    }
    reached.iter().any(|reached| reached == name)
}
