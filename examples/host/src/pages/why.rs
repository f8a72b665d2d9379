//! The reason of a denial, and what would help.

use std::sync::Arc;

use axum::extract::{Query, State};
use grantree::SourceName;
use grantree::explain::{Assignment, Remedies};
use maud::{Markup, html};
use serde::Deserialize;

use crate::app::{App, now};
use crate::caller::Caller;
use crate::error::Failure;
use crate::layout;
use crate::ticket::Ticket;

/// A permission that somebody lacks.
#[derive(Deserialize)]
pub struct Asked {
    action: String,
    ticket: Option<i64>,
    refund: Option<i64>,
}

/// Shows why, and a button for each role that can be requested.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Markup, Failure> {
    let engine = caller.engine();
    let action = engine.permission(&asked.action)?;
    let ticket = asked.ticket.map(|id| app.store(|store| Ticket::find(store, id))).transpose()?;
    let ticket = ticket.map(|it| Ticket { refund: asked.refund.unwrap_or(it.refund), ..it });

    let question = (ticket.as_ref(), now());
    let explanation = caller.asker().explain(action, question);
    let remedies = caller.asker().remedies(action, question);
    let body = html! {
        pre.why { (explanation) }
        @if let (Some(ticket), false) = (&ticket, explanation.allowed()) {
            h2 { "Request permission" }
            @for (role, approvers) in remedies.assignments.iter().filter_map(|it| requestable(&remedies, it)) {
                form.action method="post" action="/requests" {
                    input type="hidden" name="action" value=(asked.action);
                    input type="hidden" name="ticket" value=(ticket.id);
                    button name="role" value=(role) {
                        "Request " (layout::source_label(engine, &SourceName::Role(role.to_owned())))
                    }
                    span.hint { " decided by " (approvers.join(", ")) }
                }
            }
            h2 { "All that would help" }
            pre.why { (remedies) }
        }
    };
    Ok(layout::page(&app, &caller, "Why not?", &body))
}

/// Returns the role, if one more role is all that it takes, and who may give it.
fn requestable<'r>(
    remedies: &'r Remedies,
    assignment: &'r Assignment,
) -> Option<(&'r str, Vec<&'r str>)> {
    let [only] = assignment.sources.as_slice() else {
        return None;
    };
    let SourceName::Role(role) = &only.source.source else {
        return None;
    };
    let approvers = only.approvers.iter().chain(&remedies.admins);
    let approvers = approvers.map(|it| &*it.name);
    assignment.besides.is_none().then(|| (role.as_str(), approvers.collect()))
}
