//! The pages.

mod log;
mod one_ticket;
mod people;
mod profiles;
mod requests;
mod sign_in;
mod tickets;
mod why;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};

use grantree::Document;

use crate::app::App;
use crate::caller::Caller;
use crate::error::Failure;

/// Returns the routes to all pages.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(async || Redirect::to("/tickets")))
        .route("/sign_in", get(sign_in::show).post(sign_in::sign_in))
        .route("/view_as", post(sign_in::view_as))
        .route("/view_as/stop", post(sign_in::stop))
        .route("/tickets", get(tickets::show))
        .route("/tickets/{id}", get(one_ticket::show).post(one_ticket::save))
        .route("/tickets/{id}/answer", post(one_ticket::answer))
        .route("/tickets/{id}/close", post(one_ticket::close))
        .route("/tickets/{id}/refund", post(one_ticket::refund))
        .route("/why", get(why::show))
        .route("/requests", get(requests::show).post(requests::ask))
        .route("/requests/{id}", post(requests::decide))
        .route("/people", get(people::show).post(people::give))
        .route("/people/take", post(people::take))
        .route("/profiles", get(profiles::list))
        .route("/profiles/{name}", get(profiles::show).post(profiles::tick))
        .route("/log", get(log::show))
        .route("/log/undo", post(log::undo))
        .route("/revision", get(revision))
        .route("/style.css", get(async || file("text/css", include_str!("../static/style.css"))))
        .route("/part", get(part))
        .route("/browser.wasm", get(browser))
        .route("/app.js", get(async || file("text/javascript", include_str!("../static/app.js"))))
}

/// The revision of the policy, by which a page notices that it is out of date.
async fn revision(State(app): State<Arc<App>>) -> String {
    app.live.load().revision().to_string()
}

/// The part of the policy that concerns the user, for the engine in the browser. It tells
/// nothing of anybody else, and decides nothing: the server does.
async fn part(caller: Caller) -> Result<Json<Document>, Failure> {
    let part = caller.engine().policy().extract(&caller.seen_as);
    part.map(Json).ok_or(Failure::NotFound)
}

/// The engine for the browser, if it was built.
async fn browser() -> Result<([(HeaderName, &'static str); 1], &'static [u8]), Failure> {
    let module = include_bytes!(concat!(env!("OUT_DIR"), "/browser.wasm"));
    if module.is_empty() {
        return Err(Failure::NotFound);
    }
    Ok(([(CONTENT_TYPE, "application/wasm")], module))
}

fn file(mime: &'static str, text: &'static str) -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, mime)], text)
}
