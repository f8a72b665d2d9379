//! The oracle: the design as a program, for reading rather than for speed.
//!
//! It works on names, with nothing numbered, compiled or merged beforehand, and
//! it sees nothing of the crate but the public document and the questions. So
//! it shares no bug with the engine that it judges. Each function cites the
//! rule that it transcribes, by its number in section 3.
//!
//! The document is assumed to be a valid policy. On any other the oracle may
//! panic.

mod bound;
mod catalogue;
mod holder;
mod object;

use std::collections::BTreeMap;

use grantree::Document;
use grantree::Moment;
use grantree::document::SettingValue;
use grantree::object::{DynamicObject, Object};
use grantree::policy_test::{Answer, Question};

pub use bound::{accepts, passes};
pub use catalogue::{Catalogue, Form, Need, Node};
pub use holder::{Holder, Said, says, visit};
pub use object::Situation;

/// The codes of section 7 that need no object, in its order: the later the code, the
/// further a scope came. The two that mean yes are last.
const CODES: [&str; 7] =
    ["unlicensed", "forbidden", "denied", "not_granted", "gated", "admin", "granted"];

/// Answers questions about one document.
pub struct Oracle<'a> {
    document: &'a Document,
    catalogue: Catalogue<'a>,
    holders: BTreeMap<&'a str, Holder<'a>>,
}

impl<'a> Oracle<'a> {
    /// An oracle for a valid policy.
    pub fn new(document: &'a Document) -> Oracle<'a> {
        let catalogue = Catalogue::new(document);
        let holders = document
            .users
            .iter()
            .map(|(name, user)| (name, Holder::new(document, &catalogue, name, user)))
            .collect();
        Oracle { document, catalogue, holders }
    }

    /// The permissions of the document.
    pub fn catalogue(&self) -> &Catalogue<'a> {
        &self.catalogue
    }

    /// A user, with all that the user holds.
    pub fn holder(&self, user: &str) -> Option<&Holder<'a>> {
        self.holders.get(user)
    }

    /// The answer to a question.
    ///
    /// # Panics
    ///
    /// On questions that are not about decisions: `validate`, and steps that
    /// this version does not take.
    pub fn ask(&self, question: &Question) -> Answer {
        let answer = match question {
            Question::Can { user, action, object, today, .. } => self
                .why(user.name(), action, object.as_ref(), today.value().copied())
                .map(|code| Answer::Boolean(is_yes(code))),
            Question::Why { user, action, object, today, .. } => self
                .why(user.name(), action, object.as_ref(), today.value().copied())
                .map(|code| Answer::Text(code.to_owned())),
            Question::CanSome { user, action, .. } => {
                self.can_some(user.name(), action).map(Answer::Boolean)
            }
            Question::Level { user, permission, .. } => {
                self.level(user.name(), permission).map(Answer::Text)
            }
            Question::Setting { user, setting } => self.setting(user.name(), setting),
            Question::Effective { user, .. } => Some(texts(self.effective(user.name()))),
            Question::WhoCan { action, object, today } => {
                self.who_can(action, object.as_ref(), today.value().copied()).map(texts)
            }
            Question::Filter { user, action, objects, today, .. } => {
                self.filter(user.name(), action, objects, today.value().copied()).map(Answer::List)
            }
            Question::Never { .. } | Question::Validate(_) | Question::Change { .. } => {
                panic!("not a question about decisions: {question:?}")
            }
        };
        answer.unwrap_or(Answer::Error)
    }

    /// Section 7: the first code that applies. `None` where the question names
    /// something unknown, whoever asks.
    fn why(
        &self,
        user: &str,
        action: &str,
        object: Option<&DynamicObject>,
        today: Option<Moment>,
    ) -> Option<&'static str> {
        let need = self.catalogue.need(action)?;
        if let Some(object) = object {
            self.knows(object).then_some(())?;
        }
        let Some(holder) = self.holders.get(user) else { return Some("unknown_user") };
        Some(self.why_of(holder, &need, object, today))
    }

    fn why_of(
        &self,
        holder: &Holder<'_>,
        need: &Need,
        object: Option<&DynamicObject>,
        today: Option<Moment>,
    ) -> &'static str {
        // Rule 6, the second half: admin or not.
        if holder.user.suspended {
            return "suspended";
        }
        let held = self.why_held(holder, need);
        if held != "granted" {
            return held;
        }
        // Rule 7, the last paragraph.
        let Some(kind) = self.catalogue.node(&need.path).kind else {
            return "granted";
        };
        match object {
            None if self.needs_object(&need.path, kind) => "object_required",
            None => "granted",
            Some(object) if object.kind() != kind => "wrong_kind",
            Some(object) => self
                .why_on(&need.path, &Situation { holder, object, today: today.map(Moment::date) }),
        }
    }

    /// Rules 1 to 6: whether the user holds a permission, whatever the object.
    /// Here `granted` means that it is effective.
    pub fn why_held(&self, holder: &Holder<'_>, need: &Need) -> &'static str {
        let path = need.path.as_str();
        if self.catalogue.node(path).form == Form::Scoped {
            // "Of a scoped node without an effective scope, the scope that came
            // furthest speaks." One that is effective came furthest of all.
            return self
                .catalogue
                .scopes(path)
                .map(|scope| self.why_held(holder, &Need::plain(scope)))
                .max_by_key(|code| CODES.iter().position(|known| known == code))
                .expect("a scoped node has scopes");
        }
        if !self.catalogue.is_licensed(path) {
            "unlicensed"
        } else if holder.user.admin {
            "admin"
        } else if holder.is_forbidden(&self.catalogue, path) {
            "forbidden"
        } else if holder.said.get(path) == Some(&Said::Deny) {
            "denied"
        } else if holder.granted.get(path).is_none_or(|&level| level < need.level) {
            "not_granted"
        } else if !holder.has(&self.catalogue, need) {
            "gated"
        } else {
            "granted"
        }
    }

    /// "`can_some` asks *on some object, on some day*: effective, and every
    /// check, the kind's and its own, has a bound that some value could pass."
    ///
    /// "Of a heading it asks whether that holds of any permission beneath it."
    fn can_some(&self, user: &str, action: &str) -> Option<bool> {
        if self.catalogue.get(action).is_some_and(|node| node.form == Form::Heading) {
            let beneath = format!("{action}.");
            let mut needs = self
                .catalogue
                .nodes()
                .filter(|(path, node)| path.starts_with(&beneath) && node.form != Form::Heading);
            return Some(self.holders.get(user).is_some_and(|holder| {
                needs.any(|(path, _)| self.can_some_of(holder, &Need::plain(path)))
            }));
        }
        let need = self.catalogue.need(action)?;
        Some(self.holders.get(user).is_some_and(|holder| self.can_some_of(holder, &need)))
    }

    fn can_some_of(&self, holder: &Holder<'_>, need: &Need) -> bool {
        if !holder.has(&self.catalogue, need) {
            return false;
        }
        // Rule 6: of an admin, "the object is not looked at".
        let node = self.catalogue.node(&need.path);
        holder.user.admin
            || node.checks.iter().all(|attribute| {
                let kind = node.kind.expect("checks are on a kind");
                holder.bounds(kind, attribute).into_iter().any(bound::can_pass)
            })
    }

    /// The user's level of a graded permission; of an unknown user, the lowest.
    fn level(&self, user: &str, permission: &str) -> Option<String> {
        let node = self.catalogue.get(permission)?;
        let level = self
            .holders
            .get(user)
            .and_then(|holder| holder.effective.get(permission))
            .map_or(0, |&level| level);
        node.levels.get(level).cloned()
    }

    /// Rule 8, for settings: "the most specific tier that states one decides",
    /// and in the role tier the first source in [`Holder`]'s order. Suspension
    /// makes no difference.
    fn setting(&self, user: &str, setting: &str) -> Option<Answer> {
        let declared = self.document.catalogue.settings.get(setting)?;
        let stated: Option<&SettingValue> = self.holders.get(user).and_then(|holder| {
            let mut specific_first = holder.tiers.iter().rev().flatten();
            specific_first.find_map(|source| source.settings.get(setting))
        });
        Some(match stated.or(declared.default.as_ref()) {
            Some(value) => Answer::from(value.clone()),
            None => Answer::Nothing,
        })
    }

    /// "`effective` lists grantable permissions and effective scoped nodes,
    /// without headings; a graded one as `path:level`, if above the lowest;
    /// sorted as text."
    fn effective(&self, user: &str) -> Vec<String> {
        let Some(holder) = self.holders.get(user) else {
            return Vec::new();
        };
        let mut listed: Vec<String> = self
            .catalogue
            .nodes()
            .filter(|(path, node)| {
                node.form != Form::Heading && holder.has(&self.catalogue, &Need::plain(path))
            })
            .map(|(path, node)| match node.form {
                Form::Graded => format!("{path}:{}", node.levels[holder.effective[path]]),
                _ => path.to_owned(),
            })
            .collect();
        listed.sort();
        listed
    }

    /// "`who_can` is sorted; without an object it asks on some object."
    fn who_can(
        &self,
        action: &str,
        object: Option<&DynamicObject>,
        today: Option<Moment>,
    ) -> Option<Vec<String>> {
        let need = self.catalogue.need(action)?;
        if let Some(object) = object {
            self.knows(object).then_some(())?;
        }
        let may = |holder: &Holder<'_>| match object {
            None => self.can_some_of(holder, &need),
            Some(_) => is_yes(self.why_of(holder, &need, object, today)),
        };
        // The map of holders is sorted by name.
        Some(
            self.holders
                .iter()
                .filter(|(_, holder)| may(holder))
                .map(|(name, _)| (*name).to_owned())
                .collect(),
        )
    }

    /// "It matches an object if and only if `can` says yes."
    fn filter(
        &self,
        user: &str,
        action: &str,
        objects: &[DynamicObject],
        today: Option<Moment>,
    ) -> Option<Vec<Answer>> {
        // If unknown, it is an error even without any object.
        self.catalogue.need(action)?;
        let codes = objects.iter().map(|object| self.why(user, action, Some(object), today));
        codes.map(|code| Some(Answer::Boolean(is_yes(code?)))).collect()
    }

    /// "A question that names an unknown … kind, relation or attribute … is an
    /// error and not an answer."
    fn knows(&self, object: &DynamicObject) -> bool {
        let kinds = &self.document.catalogue.objects;
        kinds.get(object.kind()).is_some_and(|kind| {
            object.relations().all(|name| kind.relations.get(name).is_some())
                && object.attributes().all(|name| kind.attributes.get(name).is_some())
        })
    }
}

fn is_yes(code: &str) -> bool {
    code == "granted" || code == "admin"
}

fn texts(list: Vec<String>) -> Answer {
    Answer::List(list.into_iter().map(Answer::Text).collect())
}
