//! The tick boxes of a profile, and who would gain and lose what by them.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use grantree::SourceName;
use grantree::change::{Actor, Change, Note, Op};
use grantree::diff::WhatIf;
use grantree::explain::Effect;
use grantree::tree::{Form as NodeForm, Node, Tree};
use maud::{Markup, html};
use serde::Deserialize;

use crate::app::{App, now};
use crate::caller::Caller;
use crate::error::Failure;
use crate::layout;

/// The ticks that are not saved yet. They travel with the page, so there is nothing to
/// clean up if somebody leaves it.
#[derive(Deserialize, Default)]
pub struct Ticks {
    /// The ops so far, as JSON.
    #[serde(default)]
    ops: String,
    /// The next one.
    op: Option<String>,
    /// Also whatever a tick needs, and whatever needs a box that is unticked.
    cascade: Option<String>,
    save: Option<String>,
}

impl Ticks {
    fn change(&self, profile: SourceName) -> Result<Change, Failure> {
        let so_far = if self.ops.is_empty() { "[]" } else { &*self.ops };
        let mut ops: Vec<Op> = serde_json::from_str(so_far)?;
        if let Some(op) = &self.op {
            ops.push(serde_json::from_str(op)?);
        }
        Ok(Change::Edit { source: profile, ops, cascade: self.cascade.is_some() })
    }
}

/// Shows all profiles.
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Markup, Failure> {
    caller.require_some(app.actions.profiles)?;
    let engine = caller.engine();
    let policy = engine.policy();
    let body = html! {
        @for source in policy.sources() {
            @if let SourceName::Profile(name) = &source {
                p {
                    a href=(format!("/profiles/{name}")) { (layout::source_label(engine, &source)) }
                    span.hint { " held by " (policy.holders(&source).len()) }
                }
            }
        }
    };
    Ok(layout::page(&app, &caller, "Profiles", &body))
}

/// Shows the boxes of a profile.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Markup, Failure> {
    let ticks = Ticks { cascade: Some("on".into()), ..Ticks::default() };
    preview(&app, &caller, &SourceName::Profile(name), &ticks)
}

/// Ticks one box more, or saves all ticks.
pub async fn tick(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Form(ticks): Form<Ticks>,
) -> Result<Response, Failure> {
    let profile = SourceName::Profile(name);
    if ticks.save.is_none() {
        return Ok(preview(&app, &caller, &profile, &ticks)?.into_response());
    }
    app.commit(&caller.user, &ticks.change(profile)?)?;
    Ok(Redirect::to("/profiles").into_response())
}

/// Shows the boxes as they would be, and the difference to how they are.
fn preview(
    app: &App,
    caller: &Caller,
    profile: &SourceName,
    ticks: &Ticks,
) -> Result<Markup, Failure> {
    caller.require_some(app.actions.profiles)?;
    let engine = caller.engine();
    let change = ticks.change(profile.clone())?;
    let planned = match &change {
        Change::Edit { ops, .. } if ops.is_empty() => None,
        change => Some(engine.what_if_on(Actor::User(&caller.seen_as), change, now())),
    };
    let policy = match &planned {
        Some(Ok(planned)) => &planned.applied.policy,
        _ => engine.policy(),
    };
    let tree = policy.tree(profile)?;
    let ops = match &change {
        Change::Edit { ops, .. } => serde_json::to_string(ops).unwrap_or_default(),
        _ => String::new(),
    };
    let may_edit = caller.asker().can_some(app.actions.edit_profiles);
    let title = format!("Profile {}", layout::source_label(engine, profile));
    let body = html! {
        form.profile method="post" {
            input type="hidden" name="ops" value=(ops);
            div {
                label { input type="checkbox" name="cascade" checked[ticks.cascade.is_some()]; " with all that it needs" }
                (boxes(&tree, may_edit))
            }
            aside {
                h2 { "Who gains and loses" }
                @match &planned {
                    None => p { "Tick a box to see." }
                    Some(Err(refusal)) => p.failure { (refusal.message) }
                    Some(Ok(planned)) => {
                        (layout::differences(engine, &planned.diff))
                        (details(planned))
                        button name="save" value="yes" { "Save" } " "
                    }
                }
                a href="" { "Start again" }
            }
        }
    };
    Ok(layout::page(app, caller, &title, &body))
}

fn boxes(tree: &Tree, may_edit: bool) -> Markup {
    html! { ul.tree { @for node in &tree.roots { (node_markup(node, may_edit)) } } }
}

fn node_markup(node: &Node, may_edit: bool) -> Markup {
    let path = &node.permission.name;
    html! {
        li {
            @match node.form {
                NodeForm::Heading => {}
                NodeForm::Graded => @for level in &node.levels {
                    button.chosen[node.level.as_ref() == Some(level)] name="op" disabled[!may_edit] title=(path)
                        value=(json(&Op::Level { path: path.clone(), level: level.clone() })) { (level) }
                }
                NodeForm::Plain | NodeForm::Scoped | NodeForm::Scope => {
                    button.box name="op" disabled[!may_edit] value=(json(&toggled(node)))
                        title=(path) { (sign(node)) }
                }
            }
            " " (node.permission.label.as_ref().unwrap_or(path))
            @for lack in &node.lacks { span.hint { " needs " (lack.permission) } }
            @if !node.children.is_empty() {
                ul { @for child in &node.children { (node_markup(child, may_edit)) } }
            }
        }
    }
}

fn sign(node: &Node) -> &'static str {
    match (&node.own.effect, node.own.mixed) {
        (_, true) => "▪",
        (Some(Effect::Allow), _) if node.is_idle() => "(✓)",
        (Some(Effect::Allow), _) => "✓",
        (Some(Effect::Deny | Effect::Forbid), _) => "✗",
        _ => "\u{a0}",
    }
}

/// Returns the op that a press on a box means: to untick what a pattern ticks takes an
/// exception.
fn toggled(node: &Node) -> Op {
    let path = node.permission.name.clone();
    let by_pattern = node.own.by.iter().any(|statement| statement.pattern != path);
    match &node.own.effect {
        Some(Effect::Allow) if by_pattern => Op::Except(path),
        Some(Effect::Except) | None => Op::Allow(path),
        Some(_) => Op::Clear(path),
    }
}

/// Shows what else a cascade changes, and what it can't.
fn details(planned: &WhatIf) -> Markup {
    html! {
        @for note in &planned.applied.notes {
            @match note {
                Note::Unmet { permission } => {
                    p.failure { "Choose a part of " code { (permission) } " too" }
                }
                _ => p.hint { (note) },
            }
        }
        details {
            summary { "All that changes" }
            @for change in &planned.applied.changed { pre { (json(change)) } }
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
