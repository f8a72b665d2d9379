//! The frame of all pages, and what several of them show.

use grantree::diff::{Diff, Shift};
use grantree::explain::Named;
use grantree::{Engine, SourceName};
use maud::{DOCTYPE, Markup, html};

use crate::app::App;
use crate::caller::Caller;
use crate::ticket::Ticket;

/// Shows a page, with a menu of the screens on which the user can do something.
pub fn page(app: &App, caller: &Caller, title: &str, body: &Markup) -> Markup {
    let (asker, actions) = (caller.asker(), &app.actions);
    let engine = caller.engine();
    frame(
        title,
        &html! {
            nav {
                @if asker.can_some(actions.tickets) { a href="/tickets" { "Tickets" } }
                @if asker.can_some(actions.give_roles) { a href="/requests" { "Requests" } }
                @if asker.can_some(actions.people) { a href="/people" { "People" } }
                @if asker.can_some(actions.profiles) { a href="/profiles" { "Profiles" } }
                @if asker.can_some(actions.log) { a href="/log" { "Log" } }
                span.who { (label(engine, &caller.user)) " " a href="/sign_in" { "Sign out" } }
            }
            @if caller.is_viewing_as() {
                form.banner method="post" action="/view_as/stop" {
                    "You view as " b { (label(engine, &caller.seen_as)) } ". "
                    button { "Stop" }
                }
            }
            p.banner #changed hidden data-revision=(engine.revision()) {
                "The rules have changed. " a href="" { "Reload" }
            }
            main { h1 { (title) } (body) }
        },
    )
}

/// Shows an error, with a link to its reasons.
pub fn failure(message: &str, why: Option<String>) -> Markup {
    frame(
        "That did not work",
        &html! {
            nav { a href="/" { "Back to the start" } }
            main {
                h1 { "That did not work" }
                p.failure { (message) }
                @if let Some(why) = why { p { a href=(why) { "Why, and what would help?" } } }
            }
        },
    )
}

/// Shows a page without a menu.
pub fn frame(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) " – Help desk" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
                script src="/app.js" defer {}
            }
            body { (body) }
        }
    }
}

/// Returns the label of a user, or the name.
pub fn label(engine: &Engine, user: &str) -> String {
    let entry = engine.policy().user(user);
    entry.and_then(|entry| entry.label).unwrap_or_else(|| user.to_owned())
}

/// Returns the label of a profile or role, or its name.
pub fn source_label(engine: &Engine, source: &SourceName) -> String {
    let label = engine.policy().source(source).and_then(|role| role.source.label);
    label.unwrap_or_else(|| source.to_string())
}

/// Returns the place of the page that explains a denial.
pub fn why_link(action: &str, ticket: Option<&Ticket>) -> String {
    let ticket = ticket.map(|it| format!("&ticket={}&refund={}", it.id, it.refund));
    format!("/why?action={action}{}", ticket.unwrap_or_default())
}

/// Shows who gains and loses what.
pub fn differences(engine: &Engine, diff: &Diff) -> Markup {
    html! {
        @if diff.is_empty() { p { "Nobody gains or loses anything." } }
        @for group in &diff.groups {
            h3 {
                @for (at, user) in group.users.names().enumerate() {
                    @if at > 0 { "; " }
                    (label(engine, user))
                }
            }
            ul.differences {
                @for change in &group.permissions {
                    @match change.shift {
                        Shift::Gained => li.gain { "gains " (name(&change.permission)) }
                        Shift::More => li.gain { "gains more of " (name(&change.permission)) }
                        Shift::Lost => li.loss { "loses " (name(&change.permission)) }
                        Shift::Fewer => li.loss { "loses some of " (name(&change.permission)) }
                        Shift::Other => li.loss { "gains and loses some of " (name(&change.permission)) }
                        Shift::Same => {}
                    }
                }
            }
        }
    }
}

/// Returns the label of a permission, with its path.
fn name(permission: &Named) -> Markup {
    html! {
        @if let Some(label) = &permission.label { (label) " " }
        code { (permission.name) }
    }
}
