//! A ticket, its fields by level and its buttons.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Redirect;
use grantree::Permission;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use crate::app::{App, now};
use crate::caller::Caller;
use crate::error::Failure;
use crate::layout;
use crate::ticket::{FIELDS, Ticket};

/// Shows a ticket.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Markup, Failure> {
    let ticket = app.store(|store| Ticket::find(store, id))?;
    caller.require(app.actions.view, &ticket)?;
    let levels = levels(&app, &caller, &ticket);
    let hidden = FIELDS.iter().zip(levels).filter(|(_, level)| *level == Some("hidden"));
    let button = |action, name, inputs: &Markup| button(&caller, &ticket, action, name, inputs);
    let title = format!("Ticket {id}");
    let body = html! {
        p.hint {
            "From " (ticket.requester) ", team " (ticket.team)
            ", assigned to " (ticket.assignee.as_deref().unwrap_or("nobody"))
            ", " (ticket.status)
            @if ticket.refund > 0 { ", refunded " (ticket.refund) }
        }
        form.fields #fields method="post" data-asked=(asked(&caller, &ticket)) {
            @for (field, level) in FIELDS.iter().zip(levels) {
                @if level != Some("hidden") {
                    label {
                        (field)
                        input name=(field) data-level=(format!("tickets.fields.{field}")) value=(ticket.field(field)) readonly[level != Some("read_write")];
                    }
                }
            }
            @if levels.contains(&Some("read_write")) { button { "Save" } }
        }
        @for (field, _) in hidden {
            p.hint {
                "You do not see the " (field) ". "
                a href=(layout::why_link(&format!("tickets.fields.{field}"), Some(&ticket))) { "Why not?" }
            }
        }
        @if !ticket.answers.is_empty() { h2 { "Answers" } pre { (ticket.answers) } }
        h2 { "Actions" }
        (button(app.actions.answer, "answer", &html! { input name="text" required placeholder="Dear customer"; }))
        (button(app.actions.close, "close", &html! {}))
        (button(app.actions.refund, "refund", &html! { input name="amount" type="number" min="1" required placeholder="Amount"; }))
    };
    Ok(layout::page(&app, &caller, &title, &body))
}

/// Shows a button that the user may press, or the way to the reason why not.
fn button(
    caller: &Caller,
    ticket: &Ticket,
    action: Permission,
    name: &str,
    inputs: &Markup,
) -> Markup {
    let path = caller.engine().name_of(action).unwrap_or_default();
    html! {
        @if caller.asker().can(action, (ticket, now())) {
            form.action method="post" action=(format!("/tickets/{}/{name}", ticket.id)) {
                (inputs) button data-action=(path) { (name) }
            }
        } @else {
            p.action {
                button disabled { (name) } " "
                a href=(layout::why_link(&path, Some(ticket))) { "Why not?" }
            }
        }
    }
}

/// Returns what the engine in the browser is asked, but for the permissions.
fn asked(caller: &Caller, ticket: &Ticket) -> String {
    let asked = json!({"user": caller.seen_as, "today": now(), "object": ticket.as_data()});
    asked.to_string()
}

/// Returns the user's level of each field.
fn levels<'c>(app: &App, caller: &'c Caller, ticket: &Ticket) -> [Option<&'c str>; 4] {
    let actions = &app.actions;
    let fields = [actions.subject, actions.priority, actions.phone, actions.note];
    fields.map(|field| caller.asker().level(field, (ticket, now())))
}

/// Saves the fields that the user may write, whatever was sent.
pub async fn save(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    Form(mut sent): Form<HashMap<String, String>>,
) -> Result<Redirect, Failure> {
    app.store(|store| {
        let ticket = Ticket::find(store, id)?;
        caller.require(app.actions.view, &ticket)?;
        let levels = FIELDS.into_iter().zip(levels(&app, &caller, &ticket));
        let writable = levels.filter(|(_, level)| *level == Some("read_write"));
        let fields = writable.filter_map(|(field, _)| Some((field, sent.remove(field)?)));
        ticket.save(store, &fields.collect())
    })?;
    Ok(to_ticket(id))
}

/// An answer to the customer.
#[derive(Deserialize)]
pub struct Answer {
    text: String,
}

/// Answers the customer.
pub async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    Form(Answer { text }): Form<Answer>,
) -> Result<Redirect, Failure> {
    app.store(|store| {
        let ticket = Ticket::find(store, id)?;
        caller.require(app.actions.answer, &ticket)?;
        let line = format!("{}: {text}\n", caller.user);
        let update = "UPDATE ticket SET answers = answers || ?1 WHERE id = ?2";
        store.execute(update, (line, id))?;
        Ok::<_, Failure>(())
    })?;
    Ok(to_ticket(id))
}

/// Closes a ticket.
pub async fn close(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Redirect, Failure> {
    app.store(|store| {
        let ticket = Ticket::find(store, id)?;
        caller.require(app.actions.close, &ticket)?;
        store.execute("UPDATE ticket SET status = 'closed' WHERE id = ?1", [id])?;
        Ok::<_, Failure>(())
    })?;
    Ok(to_ticket(id))
}

/// A sum of money.
#[derive(Deserialize)]
pub struct Sum {
    amount: u32,
}

/// Refunds money: the question is asked of the ticket as it would be then.
pub async fn refund(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
    Form(Sum { amount }): Form<Sum>,
) -> Result<Redirect, Failure> {
    app.store(|store| {
        let ticket = Ticket::find(store, id)?;
        let refunded = Ticket { refund: ticket.refund + i64::from(amount), ..ticket };
        caller.require(app.actions.refund, &refunded)?;
        store.execute("UPDATE ticket SET refund = ?1 WHERE id = ?2", (refunded.refund, id))?;
        Ok::<_, Failure>(())
    })?;
    Ok(to_ticket(id))
}

fn to_ticket(id: i64) -> Redirect {
    Redirect::to(&format!("/tickets/{id}"))
}
