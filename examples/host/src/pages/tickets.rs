//! The list of tickets: those that the user may view, left out by the database.

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};

use crate::app::{App, now};
use crate::caller::Caller;
use crate::error::Failure;
use crate::layout;
use crate::ticket::Ticket;

/// Shows the list.
pub async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Markup, Failure> {
    caller.require_some(app.actions.tickets)?;
    let filter = caller.asker().filter(app.actions.view, now());
    let tickets = app.store(|store| Ticket::list(store, &filter))?;
    let body = html! {
        p.hint { "You see " (filter) "." }
        table {
            tr { th { "No." } th { "Subject" } th { "Team" } th { "Assignee" } th { "Status" } }
            @for ticket in &tickets {
                tr {
                    td { (ticket.id) }
                    td { a href=(format!("/tickets/{}", ticket.id)) { (ticket.subject) } }
                    td { (ticket.team) }
                    td { (ticket.assignee.as_deref().unwrap_or("–")) }
                    td { (ticket.status) }
                }
            }
        }
    };
    Ok(layout::page(&app, &caller, "Tickets", &body))
}
