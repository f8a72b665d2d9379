//! Signing in as somebody, and viewing the pages as somebody else.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::app::App;
use crate::caller::{Caller, may_view_as};
use crate::error::Failure;
use crate::layout;

/// A user who was chosen.
#[derive(Deserialize)]
pub struct Choice {
    user: String,
}

/// Shows all users. Passwords are not what this example is about.
pub async fn show(State(app): State<Arc<App>>) -> Markup {
    let engine = app.live.load();
    layout::frame(
        "Help desk",
        &html! {
            main {
                h1 { "Help desk" }
                p { "Sign in as" }
                form method="post" {
                    @for user in engine.policy().users() {
                        p { button name="user" value=(user) { (layout::label(&engine, user)) } }
                    }
                }
            }
        },
    )
}

/// Signs in.
pub async fn sign_in(
    State(app): State<Arc<App>>,
    Form(choice): Form<Choice>,
) -> Result<Response, Failure> {
    app.live.load().user(&*choice.user)?;
    Ok(go_as(&choice.user, ""))
}

/// Views the pages as somebody else.
pub async fn view_as(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(choice): Form<Choice>,
) -> Result<Response, Failure> {
    may_view_as(caller.engine(), &app.actions, &caller.user, &choice.user)?;
    Ok(go_as(&caller.user, &choice.user))
}

/// Views the pages as oneself again.
pub async fn stop() -> Response {
    (AppendHeaders([cookie("view_as", "")]), Redirect::to("/people")).into_response()
}

fn go_as(user: &str, other: &str) -> Response {
    let cookies = AppendHeaders([cookie("user", user), cookie("view_as", other)]);
    (cookies, Redirect::to("/")).into_response()
}

fn cookie(name: &str, value: &str) -> (axum::http::HeaderName, String) {
    (SET_COOKIE, format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict"))
}
