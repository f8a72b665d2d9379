//! Tickets: rows of the database, and objects of the policy.

use std::collections::HashMap;
use std::sync::LazyLock;

use grantree::filter::Filter;
use grantree::object::DynamicObject;
use grantree::sql::{Database, Mapping, SqlValue};
use rusqlite::{Connection, Row, params_from_iter, types};

use crate::error::Failure;

/// A ticket.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub id: i64,
    pub requester: String,
    pub assignee: Option<String>,
    pub team: String,
    pub status: String,
    pub refund: i64,
    pub subject: String,
    pub priority: String,
    pub phone: String,
    pub note: String,
    pub answers: String,
}

grantree::object! {
    impl Object for Ticket = "ticket" |ticket| {
        requester: user = [&ticket.requester];
        assignee: user = &ticket.assignee;
        team: group = [&ticket.team];
        status: one_of = &*ticket.status;
        refund: at_most = ticket.refund;
    }
}

/// The columns that hold what the policy asks for.
static MAPPING: LazyLock<Mapping> =
    LazyLock::new(|| Mapping::of::<Ticket>(Database::Sqlite, "ticket"));

/// The columns of a form, of which each has a permission with levels.
pub const FIELDS: [&str; 4] = ["subject", "priority", "phone", "note"];

impl Ticket {
    /// Reads a ticket.
    pub fn find(store: &Connection, id: i64) -> Result<Ticket, Failure> {
        Ok(store.query_row("SELECT * FROM ticket WHERE id = ?1", [id], Ticket::from_row)?)
    }

    /// Reads the tickets that a filter lets through: the database leaves out all others.
    pub fn list(store: &Connection, filter: &Filter) -> Result<Vec<Ticket>, Failure> {
        let (condition, values) =
            filter.where_clause(&MAPPING, 1).map_err(|error| Failure::Store(error.into()))?;
        let query = format!("SELECT * FROM ticket WHERE {condition} ORDER BY id LIMIT 50");
        let mut statement = store.prepare(&query)?;
        let values = params_from_iter(values.into_iter().map(bound));
        let tickets = statement.query_map(values, Ticket::from_row)?;
        Ok(tickets.collect::<Result<_, _>>()?)
    }

    /// Returns the ticket as the policy sees it, for the engine in the browser.
    pub fn as_data(&self) -> DynamicObject {
        DynamicObject::new("ticket")
            .with_relation("requester", [&*self.requester])
            .with_relation("assignee", self.assignee.as_deref())
            .with_relation("team", [&*self.team])
            .with_attribute("status", &*self.status)
            .with_attribute("refund", self.refund)
    }

    /// Stores some fields.
    pub fn save(&self, store: &Connection, fields: &HashMap<&str, String>) -> Result<(), Failure> {
        for column in FIELDS {
            if let Some(value) = fields.get(column) {
                let update = format!("UPDATE ticket SET {column} = ?1 WHERE id = ?2");
                store.execute(&update, (value, self.id))?;
            }
        }
        Ok(())
    }

    /// Returns the value of a field.
    pub fn field(&self, column: &str) -> &str {
        match column {
            "subject" => &self.subject,
            "priority" => &self.priority,
            "phone" => &self.phone,
            _ => &self.note,
        }
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Ticket> {
        Ok(Ticket {
            id: row.get("id")?,
            requester: row.get("requester")?,
            assignee: row.get("assignee")?,
            team: row.get("team")?,
            status: row.get("status")?,
            refund: row.get("refund")?,
            subject: row.get("subject")?,
            priority: row.get("priority")?,
            phone: row.get("phone")?,
            note: row.get("note")?,
            answers: row.get("answers")?,
        })
    }
}

fn bound(value: SqlValue) -> types::Value {
    match value {
        SqlValue::Text(text) => text.into(),
        SqlValue::Integer(integer) => integer.into(),
        SqlValue::Bytes(bytes) => bytes.into(),
        SqlValue::Texts(_) | SqlValue::Integers(_) => unreachable!("only PostgreSQL gets arrays"),
    }
}
