//! The log of changes, and undoing the last one.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use grantree::journal::Step;
use grantree::{Document, Live};
use maud::{Markup, html};
use rusqlite::Connection;
use serde::Deserialize;

use crate::app::App;
use crate::caller::Caller;
use crate::error::Failure;
use crate::journal::SqliteJournal;
use crate::layout;

/// Shows the newest entries.
pub async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Markup, Failure> {
    caller.require_some(app.actions.log)?;
    let revision = caller.engine().revision();
    let entries = app.store(entries)?;
    let may_undo = caller.asker().can_some(app.actions.undo) && revision > 1;
    let body = html! {
        table {
            tr { th { "No." } th { "Time" } th { "By" } th { "Change" } th {} }
            @for Entry { log, stored_at } in &entries {
                tr {
                    td { (log.revision) }
                    td { (stored_at) }
                    td { (log.by.as_deref().unwrap_or("the application")) }
                    td { (steps(&log.step)) }
                    td {
                        @if may_undo && log.revision == revision {
                            form method="post" action="/log/undo" {
                                button name="revision" value=(revision) { "Undo" }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(layout::page(&app, &caller, "Log", &body))
}

struct Entry {
    log: grantree::journal::LogEntry,
    stored_at: String,
}

fn entries(store: &Connection) -> Result<Vec<Entry>, Failure> {
    let newest = "SELECT entry, stored_at FROM policy_log ORDER BY revision DESC LIMIT 50";
    let mut statement = store.prepare(newest)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (text, stored_at) = row?;
        let log = serde_json::from_str(&text).map_err(|error| Failure::Store(error.into()))?;
        Ok(Entry { log, stored_at })
    })
    .collect()
}

fn steps(step: &Step) -> Markup {
    html! {
        @match step {
            Step::Changes(changes) => @for change in changes {
                code { (serde_json::to_string(change).unwrap_or_default()) } " "
            }
            Step::Document(_) => "all rules",
            Step::Catalogue(_) => "a newer catalogue",
            _ => "something newer than this program",
        }
    }
}

/// The revision that was the last one when the page was shown.
#[derive(Deserialize)]
pub struct Undo {
    revision: u64,
}

/// Undoes the last change: the version before it becomes the next one.
pub async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(Undo { revision }): Form<Undo>,
) -> Result<Redirect, Failure> {
    caller.require_some(app.actions.undo)?;
    app.store(|store| {
        let before = revision.checked_sub(1).filter(|it| *it > 0).ok_or(Failure::NotFound)?;
        let former = Live::open(&mut SqliteJournal::at(store, before), Document::default())?;
        let document = Document::from(former.load().policy());

        // Whoever changed the rules meanwhile is not undone unseen.
        let last = app.live.load().policy().version();
        if last.revision != revision {
            return Err(Failure::Changed);
        }
        let mut journal = SqliteJournal::new(store);
        Ok(app.live.commit_document_after(&mut journal, &document, last)?)
    })?;
    Ok(Redirect::to("/log"))
}
