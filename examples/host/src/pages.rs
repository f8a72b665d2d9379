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

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::app::App;

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
        .route("/app.js", get(async || file("text/javascript", include_str!("../static/app.js"))))
}

/// The revision of the policy, by which a page notices that it is out of date.
async fn revision(State(app): State<Arc<App>>) -> String {
    app.live.load().revision().to_string()
}

type File = ([(axum::http::HeaderName, &'static str); 1], &'static str);

fn file(mime: &'static str, text: &'static str) -> File {
    ([(CONTENT_TYPE, mime)], text)
}
