//! People and their roles, for good or with an end and a place.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use grantree::SourceName;
use grantree::change::Change;
use grantree::document::{Assignment, Bound, Map, UserEntry};
use maud::{Markup, html};
use serde::Deserialize;

use crate::app::{App, in_days, now};
use crate::caller::{Caller, may_view_as};
use crate::error::Failure;
use crate::layout;
use crate::pages::requests::limits;

/// A role to be given, with limits if they are not empty.
#[derive(Deserialize)]
pub struct Gift {
    pub user: String,
    pub role: String,
    pub team: String,
    pub until: String,
}

impl Gift {
    /// Returns the change that gives it: a role, or an assignment that holds it.
    pub fn change(self) -> Result<Change, Failure> {
        let Gift { user, role, team, until } = self;
        if team.is_empty() && until.is_empty() {
            return Ok(Change::Assign { user, source: SourceName::Role(role) });
        }
        let name = format!("{role} {team} {until}");
        let places = Map::from_iter([("team", Bound::OneOf(vec![team.clone()]))]);
        let on = (!team.is_empty()).then(|| Map::from_iter([("ticket", places)]));
        // An end that can't be read is no end at all: it must not be left out.
        let until = (!until.is_empty()).then(|| until.parse()).transpose()?;
        let assignment = Assignment { roles: vec![role], on, until, ..Assignment::default() };
        Ok(Change::SetAssignment { user, name, assignment: Some(Box::new(assignment)) })
    }
}

/// Shows all people.
pub async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Markup, Failure> {
    caller.require_some(app.actions.people)?;
    let engine = caller.engine();
    let policy = engine.policy();
    let entries = policy.users().filter_map(|user| Some((user, policy.user(user)?)));
    let may_give = caller.asker().can_some(app.actions.give_roles);
    let roles = policy.sources().into_iter().filter(|it| matches!(it, SourceName::Role(_)));
    let ending = now().zip(in_days(30)).map(|(now, then)| engine.expiring(now, then));
    let body = html! {
        table {
            tr { th { "Name" } th { "Profile" } th { "Roles" } th {} }
            @for (user, entry) in entries {
                tr {
                    td { (layout::label(engine, user)) }
                    td { (entry.profile.as_deref().unwrap_or("–")) }
                    td { (held(user, &entry, may_give)) }
                    td {
                        @if user != caller.user && may_view_as(engine, &app.actions, &caller.user, user).is_ok() {
                            form method="post" action="/view_as" {
                                button name="user" value=(user) { "View as" }
                            }
                        }
                    }
                }
            }
        }
        @if may_give {
            h2 { "Give a role" }
            form.action method="post" {
                select name="user" { @for user in policy.users() { option { (user) } } }
                select name="role" {
                    @for role in roles {
                        @if let SourceName::Role(name) = &role {
                            option value=(name) { (layout::source_label(engine, &role)) }
                        }
                    }
                }
                (limits())
                button { "Give" }
            }
        }
        h2 { "Ending within 30 days" }
        @for it in ending.unwrap_or_default() {
            p {
                (layout::label(engine, it.user)) ", " (it.assignment) ": loses "
                @for (at, lost) in it.loses.iter().enumerate() { @if at > 0 { ", " } code { (lost) } }
                " after " (it.until)
            }
        }
    };
    Ok(layout::page(&app, &caller, "People", &body))
}

/// Shows the roles and assignments of somebody.
fn held(user: &str, entry: &UserEntry, may_take: bool) -> Markup {
    let take = |what: &str, name: &str| {
        html! {
            @if may_take {
                form method="post" action="/people/take" {
                    input type="hidden" name="user" value=(user);
                    button name=(what) value=(name) { "take" }
                }
            }
        }
    };
    html! {
        @for role in &entry.roles { div.held { (role) " " (take("role", role)) } }
        @for (name, assignment) in &entry.assignments {
            div.held {
                (assignment.roles.join(", "))
                @if let Some(on) = &assignment.on { ", only " (places(on)) }
                @if let Some(until) = assignment.until { ", until " (until) }
                " " (take("assignment", name))
            }
        }
    }
}

fn places(on: &Map<Map<Bound>>) -> String {
    let names = on.iter().flat_map(|(_, conditions)| conditions.iter());
    let texts = names.map(|(name, bound)| format!("{name} {}", text(bound)));
    texts.collect::<Vec<_>>().join(", ")
}

fn text(bound: &Bound) -> String {
    match bound {
        Bound::OneOf(names) => names.join(" or "),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// Gives a role.
pub async fn give(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(gift): Form<Gift>,
) -> Result<Redirect, Failure> {
    app.commit(&caller.user, &gift.change()?)?;
    Ok(Redirect::to("/people"))
}

/// A role or an assignment to be taken away.
#[derive(Deserialize)]
pub struct Taken {
    user: String,
    role: Option<String>,
    assignment: Option<String>,
}

/// Takes a role or an assignment away.
pub async fn take(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(Taken { user, role, assignment }): Form<Taken>,
) -> Result<Redirect, Failure> {
    let change = match (role, assignment) {
        (Some(role), _) => Change::Revoke { user, source: SourceName::Role(role) },
        (None, Some(name)) => Change::SetAssignment { user, name, assignment: None },
        (None, None) => return Err(Failure::NotFound),
    };
    app.commit(&caller.user, &change)?;
    Ok(Redirect::to("/people"))
}
