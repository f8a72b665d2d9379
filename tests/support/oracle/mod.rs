//! The oracle: the design as a program, for reading rather than for speed.
//!
//! It works on names, with nothing numbered, compiled or merged beforehand, and it sees
//! nothing of the crate: policies, questions and answers are JSON values. So it shares no
//! bug with the engine that it judges. Each function cites the sentence that it
//! transcribes.
//!
//! The policy is assumed to be valid. On any other the oracle may panic.

pub mod bound;
pub mod capacity;
pub mod catalogue;
pub mod change;
mod check;
pub mod date;
pub mod json;
pub mod object;
pub mod person;
pub mod policy;
pub mod reason;
pub mod source;
mod terms;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use catalogue::{Form, Levels, Need};
use date::Today;
use json::{entries, items, list};
use person::{Asked, Person};
use policy::Policy;
use reason::Reason;

/// Answers questions about one policy.
pub struct Oracle {
    policy: Policy,
    people: RefCell<BTreeMap<String, Rc<Person>>>,
}

/// The people who are asked about: the asker, `None` if unknown, and a `within`.
struct Askers {
    asker: Option<Rc<Person>>,
    within: Option<Rc<Person>>,
}

impl Oracle {
    /// Reads a valid policy.
    pub fn new(policy: &Value) -> Oracle {
        Oracle { policy: Policy::new(policy), people: RefCell::default() }
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Answers the question of a step of a test document: `{"can": {…}}`. "A question that
    /// names an unknown permission, kind, relation or attribute, a heading (but in
    /// `can_some`), or a level that the permission has not above its lowest, is an error and
    /// not an answer, whoever asks."
    ///
    /// # Panics
    ///
    /// On questions that are not about decisions: `change` and `validate`.
    pub fn ask(&self, step: &Value) -> Value {
        let is_question = |name: &str| !["expect", "note"].contains(&name);
        let question = entries(step).find(|(name, _)| is_question(name));
        let (name, question) = question.expect("a question");
        let answer = match name {
            "can" => self.why(question).map(|reason| json!(reason.is_yes())),
            "why" => self.why(question).map(|reason| json!(reason.code())),
            "can_some" => self.can_some(question).map(Value::Bool),
            "level" => self.level(question).map(Value::String),
            "setting" => self.setting(question),
            "effective" => self.effective(question).map(Value::from),
            "who_can" => self.who_can(question).map(Value::from),
            "never" => self.never(question).map(Value::Bool),
            "filter" => self.filter(question).map(Value::from),
            _ => panic!("not a question about decisions: {name}"),
        };
        answer.unwrap_or_else(|| json!({"error": true}))
    }

    /// "Each is asked by itself, and the answer is yes only if it is for both; `why` is the
    /// asker's reason unless the asker may, else that of `within`."
    fn why(&self, question: &Value) -> Option<Reason> {
        let need = self.need(question)?;
        let asked = self.asked(question)?;
        let askers = self.askers(question)?;
        Some(self.why_of(&askers, &need, asked))
    }

    fn why_of(&self, askers: &Askers, need: &Need, asked: Asked<'_>) -> Reason {
        let Some(asker) = &askers.asker else { return Reason::UnknownUser };
        let reason = asker.why(&self.policy, need, asked);
        match &askers.within {
            Some(within) if reason.is_yes() => within.why(&self.policy, need, asked),
            _ => reason,
        }
    }

    fn can_some(&self, question: &Value) -> Option<bool> {
        let needs = self.needs_of(question["action"].as_str()?)?;
        let askers = self.askers(question)?;
        Some(askers.all(|person| needs.iter().any(|need| person.can_some(&self.policy, need))))
    }

    /// "Of a heading it asks whether that holds of any permission beneath it."
    fn needs_of(&self, action: &str) -> Option<Vec<Need>> {
        let catalogue = &self.policy.catalogue;
        let is_heading = catalogue.get(action).is_some_and(|node| node.form == Form::Heading);
        if !is_heading {
            return catalogue.need(action).map(|need| vec![need]);
        }
        let beneath = catalogue.beneath(action);
        let permissions = beneath.filter(|(_, node)| node.form != Form::Heading);
        Some(permissions.map(|(path, _)| Need::plain(path)).collect())
    }

    /// "`level` with an object is the highest level on it: the highest threshold that `can`
    /// allows, else the lowest." Of `within` "the lower". "Of an unknown user: the lowest."
    fn level(&self, question: &Value) -> Option<String> {
        let path = question["permission"].as_str()?;
        let node = self.policy.catalogue.get(path)?;
        let asked = self.asked(question)?;
        let askers = self.askers(question)?;
        let level_of = |person: &Person| match asked.object {
            None => person.level(&self.policy.catalogue, path, asked.today),
            Some(_) => {
                let is_allowed = |&level: &usize| {
                    let need = Need { path: path.to_owned(), level };
                    person.why(&self.policy, &need, asked).is_yes()
                };
                (1..node.levels.len()).rev().find(is_allowed).unwrap_or(0)
            }
        };
        let levels = askers.each().map(|person| person.map_or(0, level_of));
        node.levels.get(levels.min().unwrap_or(0)).cloned()
    }

    /// "The default (`null` without one)" where nobody states it, and of an unknown user.
    fn setting(&self, question: &Value) -> Option<Value> {
        let name = question["setting"].as_str()?;
        let declared = self.policy.settings.get(name)?;
        let asker = self.askers(question)?.asker;
        let stated = asker.and_then(|asker| asker.setting(name));
        Some(stated.unwrap_or_else(|| declared["default"].clone()))
    }

    /// "`effective` lists grantable permissions and effective scoped nodes, without
    /// headings; a graded one as `path:level`, if above the lowest; sorted as text." Of
    /// `within` "what both hold"; "an unknown assignment is an error".
    fn effective(&self, question: &Value) -> Option<Vec<String>> {
        let assignment = question["assignment"].as_str();
        // "`effective` (of no assignment) may also give `within`."
        (assignment.is_none() || question.get("within").is_none()).then_some(())?;
        let askers = self.askers(question)?;
        let listed_of = |person: Option<&Person>| match person {
            Some(person) => {
                let effective = person.effective(&self.policy.catalogue, assignment)?;
                Some(self.listed(&effective))
            }
            None => assignment.is_none().then(Levels::new),
        };
        let lists: Vec<Levels> = askers.each().map(listed_of).collect::<Option<_>>()?;
        let shared =
            lists.into_iter().reduce(|one, other| shared(&one, &other)).unwrap_or_default();
        let as_text = |(path, level): (String, usize)| match self
            .policy
            .catalogue
            .node(&path)
            .levels
            .get(level)
        {
            Some(level) => format!("{path}:{level}"),
            None => path,
        };
        let mut texts: Vec<String> = shared.into_iter().map(as_text).collect();
        texts.sort();
        Some(texts)
    }

    /// Adds the scoped nodes any of whose scopes is held.
    fn listed(&self, effective: &Levels) -> Levels {
        let catalogue = &self.policy.catalogue;
        let nodes = catalogue.nodes();
        let is_held = |path: &str| catalogue.is_met(&Need::plain(path), effective);
        let scoped = nodes.filter(|(path, node)| node.form == Form::Scoped && is_held(path));
        let scoped = scoped.map(|(path, _)| (path.to_owned(), 1));
        effective.clone().into_iter().chain(scoped).collect()
    }

    /// "`who_can` is sorted; without an object it asks on some object" and does "not look at
    /// today".
    fn who_can(&self, question: &Value) -> Option<Vec<String>> {
        let need = self.need(question)?;
        let asked = self.asked(question)?;
        let may = |person: &Person| match asked.object {
            None => person.can_some(&self.policy, &need),
            Some(_) => person.why(&self.policy, &need, asked).is_yes(),
        };
        let names = self.policy.users.keys();
        let able = names.filter(|name| self.user(name).is_some_and(|person| may(&person)));
        Some(able.cloned().collect())
    }

    /// "True if `who_can` of that action, on the object or on some object, names nobody but
    /// those in `except` (nobody, if absent)."
    fn never(&self, question: &Value) -> Option<bool> {
        let except = list(question, "except");
        Some(self.who_can(question)?.iter().all(|name| except.contains(name)))
    }

    /// "It matches an object if and only if `can` says yes."
    fn filter(&self, question: &Value) -> Option<Vec<bool>> {
        // If unknown, it is an error even without any object.
        let need = self.need(question)?;
        let today = today(question)?;
        let askers = self.askers(question)?;
        let may = |object| {
            self.knows(object).then_some(())?;
            Some(self.why_of(&askers, &need, Asked { object: Some(object), today }).is_yes())
        };
        items(question, "objects").map(may).collect()
    }

    fn need(&self, question: &Value) -> Option<Need> {
        self.policy.catalogue.need(question["action"].as_str()?)
    }

    fn asked<'a>(&self, question: &'a Value) -> Option<Asked<'a>> {
        let object = question.get("object").filter(|object| !object.is_null());
        let is_known = object.is_none_or(|object| self.knows(object));
        is_known.then_some(Asked { object, today: today(question)? })
    }

    /// "A question that names an unknown … kind, relation or attribute … is an error."
    fn knows(&self, object: &Value) -> bool {
        let Some(name) = object["kind"].as_str() else { return false };
        let Some(kind) = self.policy.catalogue.kinds.get(name) else { return false };
        entries(&object["relations"]).all(|(name, _)| kind.relations.contains_key(name))
            && entries(&object["attributes"]).all(|(name, _)| kind.attributes.contains_key(name))
    }

    /// "A question may give a `subject` in the place of its `user`. A problem of it is an
    /// error."
    fn askers(&self, question: &Value) -> Option<Askers> {
        let (name, asker) = match question.get("subject") {
            Some(subject) => {
                check::is_subject(&self.policy, subject).then_some(())?;
                let name = subject["name"].as_str()?;
                let groups = list(subject, "groups");
                (name, Some(Rc::new(Person::read(&self.policy, name, groups, subject))))
            }
            None => {
                let name = question["user"].as_str()?;
                (name, self.user(name))
            }
        };
        let within = match question.get("within") {
            Some(within) => {
                check::is_within(&self.policy, within, name).then_some(())?;
                let groups = asker.as_ref().map(|asker| asker.groups.clone());
                let groups = groups.unwrap_or_default();
                Some(Rc::new(Person::read(&self.policy, name, groups, within)))
            }
            None => None,
        };
        Some(Askers { asker, within })
    }

    fn user(&self, name: &str) -> Option<Rc<Person>> {
        if let Some(known) = self.people.borrow().get(name) {
            return Some(known.clone());
        }
        let person = Rc::new(Person::of_document(&self.policy, name)?);
        self.people.borrow_mut().insert(name.to_owned(), person.clone());
        Some(person)
    }
}

impl Askers {
    /// The asker, and the `within` if there is one.
    fn each(&self) -> impl Iterator<Item = Option<&Person>> {
        let within = self.within.iter().map(|within| Some(&**within));
        [self.asker.as_deref()].into_iter().chain(within)
    }

    /// "An unknown user is denied."
    fn all(&self, may: impl Fn(&Person) -> bool) -> bool {
        self.each().all(|person| person.is_some_and(&may))
    }
}

/// "It is a date, or a civil date and time. Any other form of a today is an error."
fn today(question: &Value) -> Option<Option<Today>> {
    match question.get("today") {
        None | Some(Value::Null) => Some(None),
        Some(today) => Today::read(today.as_str()?).map(Some),
    }
}

/// The paths that stand in both, each with the lower level.
fn shared(one: &Levels, other: &Levels) -> Levels {
    let both = |(path, level): (&String, &usize)| {
        let level = *level.min(other.get(path)?);
        Some((path.clone(), level))
    };
    one.iter().filter_map(both).collect()
}
