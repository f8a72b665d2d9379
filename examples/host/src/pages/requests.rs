//! Requests for permission, and the page of those who decide them.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Redirect;
use grantree::SourceName;
use grantree::change::{Actor, Change};
use maud::{Markup, html};
use rusqlite::Connection;
use serde::Deserialize;

use crate::app::{App, now};
use crate::caller::Caller;
use crate::error::Failure;
use crate::layout;
use crate::pages::people::Gift;
use crate::ticket::Ticket;

/// A role that somebody asks for, and the reason.
#[derive(Deserialize)]
pub struct Request {
    role: String,
    action: String,
    ticket: i64,
}

/// A request that nobody has decided yet.
struct Open {
    id: i64,
    user: String,
    request: Request,
}

impl Open {
    fn all(store: &Connection) -> Result<Vec<Open>, Failure> {
        let open =
            "SELECT id, user, role, action, ticket FROM request WHERE outcome IS NULL ORDER BY id";
        let mut statement = store.prepare(open)?;
        let rows = statement.query_map([], |row| {
            let request = Request { role: row.get(2)?, action: row.get(3)?, ticket: row.get(4)? };
            Ok(Open { id: row.get(0)?, user: row.get(1)?, request })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn change(&self) -> Change {
        let source = SourceName::Role(self.request.role.clone());
        Change::Assign { user: self.user.clone(), source }
    }
}

/// Stores a request.
pub async fn ask(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(request): Form<Request>,
) -> Result<Redirect, Failure> {
    app.store(|store| {
        caller.require(app.actions.view, &Ticket::find(store, request.ticket)?)?;
        let insert = "INSERT INTO request (user, role, action, ticket) VALUES (?1, ?2, ?3, ?4)";
        let Request { role, action, ticket } = &request;
        store.execute(insert, (&caller.user, role, action, ticket))?;
        Ok::<_, Failure>(())
    })?;
    Ok(Redirect::to(&format!("/tickets/{}", request.ticket)))
}

/// Shows the open requests: what each would bring, or why the user may not approve it.
pub async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Markup, Failure> {
    caller.require_some(app.actions.give_roles)?;
    let engine = caller.engine();
    let requests = app.store(Open::all)?;
    let body = html! {
        @if requests.is_empty() { p { "Nobody asks for anything." } }
        @for open in &requests {
            @let Request { role, action, ticket } = &open.request;
            section {
                h2 {
                    (layout::label(engine, &open.user)) " asks for "
                    (layout::source_label(engine, &SourceName::Role(role.clone())))
                }
                p { "For " code { (action) } " on " a href=(format!("/tickets/{ticket}")) { "ticket " (ticket) } "." }
                @match engine.what_if_on(Actor::User(&caller.seen_as), &open.change(), now()) {
                    Ok(preview) => {
                        (layout::differences(engine, &preview.diff))
                        form.action method="post" action=(format!("/requests/{}", open.id)) {
                            (limits())
                            button name="outcome" value="approved" { "Approve" }
                            button name="outcome" value="declined" { "Decline" }
                        }
                    }
                    Err(refusal) => p.failure { "You may not approve this: " (refusal.message) }
                }
            }
        }
    };
    Ok(layout::page(&app, &caller, "Requests", &body))
}

/// The inputs that limit what is given.
pub fn limits() -> Markup {
    html! {
        label { "only for team " input name="team" placeholder="all teams"; }
        label { "until " input name="until" type="date"; }
    }
}

/// A decision.
#[derive(Deserialize)]
pub struct Decision {
    outcome: String,
    team: String,
    until: String,
}

/// Approves or declines a request.
pub async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    Form(Decision { outcome, team, until }): Form<Decision>,
) -> Result<Redirect, Failure> {
    caller.require_some(app.actions.give_roles)?;
    let open = app.store(Open::all)?.into_iter().find(|open| open.id == id);
    let Open { user, request, .. } = open.ok_or(Failure::NotFound)?;
    if outcome == "approved" {
        // Whether the user may do this is the policy's to say.
        let gift = Gift { user, role: request.role, team, until };
        app.commit(&caller.user, &gift.change()?)?;
    }
    app.store(|store| {
        store.execute("UPDATE request SET outcome = ?1 WHERE id = ?2", (outcome, id))
    })?;
    Ok(Redirect::to("/requests"))
}
