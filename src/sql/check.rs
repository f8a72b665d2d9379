//! Checks of a mapping against the policy that it is for.

use super::column::Dates;
use super::condition::is_joined;
use super::mapping::{IdPlace, Mapping};
use super::{ConditionError, Database};
use crate::document::BoundType;
use crate::engine::Engine;
use crate::problem::{error_list, nearest, suggestion};

/// A problem of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingProblem {
    /// A filter that asks for it has no condition.
    #[error(transparent)]
    Condition(ConditionError),
    /// The catalogue has no such kind of object.
    #[error("no kind of object is named `{kind}`{}", suggestion(nearest.as_deref()))]
    UnknownKind {
        /// The mapping's kind of object.
        kind: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// The kind has no such relation.
    #[error("`{kind}` has no relation `{relation}`{}", suggestion(nearest.as_deref()))]
    UnknownRelation {
        /// The kind of object.
        kind: String,
        /// The relation that is mapped.
        relation: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// The kind has no such attribute.
    #[error("`{kind}` has no attribute `{attribute}`{}", suggestion(nearest.as_deref()))]
    UnknownAttribute {
        /// The kind of object.
        kind: String,
        /// The attribute that is mapped.
        attribute: String,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// An attribute that is no date is mapped to a text of dates.
    #[error("attribute `{attribute}` of `{kind}` is mapped as a date, but is not one")]
    NoDate {
        /// The kind of object.
        kind: String,
        /// The attribute.
        attribute: String,
    },
    /// An attribute that is not one of some texts is mapped to ids of these.
    #[error("attribute `{attribute}` of `{kind}` is mapped to ids of texts, but is not a `one_of`")]
    NoTexts {
        /// The kind of object.
        kind: String,
        /// The attribute.
        attribute: String,
    },
}

/// The problems of a mapping, one or more.
#[derive(Clone, PartialEq, Eq)]
pub struct MappingProblems(Vec<MappingProblem>);

error_list!(MappingProblems of MappingProblem);

impl Mapping {
    /// Checks that a policy's filters for this kind of object will find everything mapped: its
    /// kind exists, and so do the relations and attributes that are mapped; all that the
    /// kind has are mapped, each as something that it can be. It reports all problems.
    ///
    /// It sees no database: that the columns exist, and are of the right
    /// types, is for the database to say. A column of the wrong type passes nothing, or is an
    /// error.
    ///
    /// # Errors
    ///
    /// If there are problems.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}, "attributes": {"cost": "at_most"}}},
    /// #         "permissions": [{"key": "edit", "object": "job"}]},
    /// #     "users": {"7": {"allow": ["edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::sql::{Database, Ids, Mapping};
    ///
    /// let jobs = Mapping::new(Database::Sqlite, "job", "jobs").relation("asignee", Ids::column("a"));
    /// assert_eq!(
    ///     jobs.check(&engine).unwrap_err().to_string(),
    ///     "the mapping of `job` lacks relation `assignee`
    /// the mapping of `job` lacks attribute `cost`
    /// `job` has no relation `asignee`; did you mean `assignee`?"
    /// );
    /// let jobs = Mapping::new(Database::Sqlite, "jop", "jobs");
    /// assert_eq!(
    ///     jobs.check(&engine).unwrap_err().to_string(),
    ///     "no kind of object is named `jop`; did you mean `job`?"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check(&self, engine: &Engine) -> Result<(), MappingProblems> {
        let problems = self.problems(engine);
        if problems.is_empty() { Ok(()) } else { Err(MappingProblems(problems)) }
    }

    fn problems(&self, engine: &Engine) -> Vec<MappingProblem> {
        let kinds = &engine.policy().inner().catalogue.document.objects;
        let kind = || self.kind.clone();
        let Some(declared) = kinds.get(&self.kind) else {
            let nearest = nearest(&self.kind, kinds.iter().map(|(name, _)| name));
            return vec![MappingProblem::UnknownKind { kind: kind(), nearest }];
        };
        let mut problems = Vec::new();
        let mut unusable = |error| problems.push(MappingProblem::Condition(error));
        for (name, _) in declared.relations.iter() {
            let relation = name.to_owned();
            match self.relations.get(name).map(|ids| &ids.place) {
                None => unusable(ConditionError::NoRelation { kind: kind(), relation }),
                Some(IdPlace::Joined(steps, _)) if !is_joined(steps) => {
                    unusable(ConditionError::NoJoin { kind: kind(), relation });
                }
                Some(IdPlace::Array(_)) if self.database != Database::Postgres => {
                    unusable(ConditionError::NoArray { kind: kind(), relation });
                }
                Some(_) => {}
            }
        }
        for (name, _) in declared.attributes.iter() {
            if !self.attributes.contains_key(name) {
                unusable(ConditionError::NoAttribute { kind: kind(), attribute: name.to_owned() });
            }
        }
        for relation in self.relations.keys() {
            if declared.relations.get(relation).is_none() {
                let nearest = nearest(relation, declared.relations.iter().map(|(name, _)| name));
                let relation = relation.clone();
                problems.push(MappingProblem::UnknownRelation { kind: kind(), relation, nearest });
            }
        }
        for (attribute, mapped) in &self.attributes {
            let (kind, attribute) = (kind(), attribute.clone());
            let Some(bound) = declared.attributes.get(&attribute) else {
                let known = declared.attributes.iter().map(|(name, _)| name);
                let nearest = nearest(&attribute, known);
                problems.push(MappingProblem::UnknownAttribute { kind, attribute, nearest });
                continue;
            };
            let is_date = matches!(*bound, BoundType::NotBefore | BoundType::NotAfter);
            if mapped.dates == Dates::Text && !is_date {
                problems.push(MappingProblem::NoDate { kind, attribute });
            } else if mapped.value.is_some() && *bound != BoundType::OneOf {
                problems.push(MappingProblem::NoTexts { kind, attribute });
            }
        }
        problems
    }
}
