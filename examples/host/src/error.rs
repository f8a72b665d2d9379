//! Errors, and their pages.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use grantree::change::Refusal;
use grantree::journal::{JournalError, StoreError};
use grantree::{DateError, Denied, Unknown};

use crate::layout;
use crate::ticket::Ticket;

/// The reason why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// The user may not do this.
    #[error("{denied}")]
    Denied {
        /// The answer.
        denied: Denied,
        /// The ticket on which it was asked.
        ticket: Option<Box<Ticket>>,
    },
    /// A change while the pages are viewed as somebody else.
    #[error("nothing can be changed while you view as somebody else")]
    OnlyViewing,
    /// Somebody else's pages would show more than one's own.
    #[error("you may view only as somebody who may do no more than you")]
    MayDoMore,
    /// A rule refuses a change of the policy.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Somebody else changed the policy in between.
    #[error("the policy has changed meanwhile: look again")]
    Changed,
    /// A form that can't be read.
    #[error("this can't be read: {0}")]
    Unreadable(String),
    /// There is no such page, ticket, user or profile.
    #[error("there is no such page")]
    NotFound,
    /// The database failed, or what it holds can't be read.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Failure {
        match error {
            JournalError::Refused(refusal) => Failure::Refused(refusal),
            JournalError::Superseded { .. } => Failure::Changed,
            error => Failure::Store(error.into()),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Failure::NotFound,
            error => Failure::Store(error.into()),
        }
    }
}

impl From<DateError> for Failure {
    fn from(error: DateError) -> Failure {
        Failure::Unreadable(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure::Unreadable(error.to_string())
    }
}

impl From<Unknown> for Failure {
    fn from(_: Unknown) -> Failure {
        Failure::NotFound
    }
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Failure::NotSignedIn => StatusCode::UNAUTHORIZED,
            Failure::Denied { .. } | Failure::OnlyViewing | Failure::MayDoMore => {
                StatusCode::FORBIDDEN
            }
            Failure::Refused(_) | Failure::Changed => StatusCode::CONFLICT,
            Failure::Unreadable(_) => StatusCode::BAD_REQUEST,
            Failure::NotFound => StatusCode::NOT_FOUND,
            Failure::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if matches!(self, Failure::NotSignedIn) {
            return Redirect::to("/sign_in").into_response();
        }
        let why = match &self {
            Failure::Denied { denied, ticket } => {
                Some(layout::why_link(&denied.action, ticket.as_deref()))
            }
            Failure::Store(error) => {
                eprintln!("{error}");
                None
            }
            _ => None,
        };
        (self.status(), layout::failure(&self.to_string(), why)).into_response()
    }
}
