//! What sources grant, side by side: permissions down, sources across.
//!
//! A row of it, for a page of the host's own design:
//!
//! ```
//! # use grantree::{Document, Policy, SourceName};
//! # let text = r#"{
//! #     "format": 1,
//! #     "catalogue": {"permissions": [{"key": "orders"}]},
//! #     "roles": {"clerk": {"allow": ["orders"]}, "driver": {}}
//! # }"#;
//! # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
//! use grantree::matrix::Mark;
//!
//! let matrix = policy.matrix(policy.sources())?;
//! let orders: Vec<bool> =
//!     matrix.rows[0].cells.iter().map(|cell| cell.mark == Mark::Granted).collect();
//! // The global source, the clerk and the driver.
//! assert_eq!(orders, [false, true, false]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::bits::BitSet;
use crate::catalogue::{Catalogue, Form, NodeId};
use crate::engine::{Layer, Layers, Unknown};
use crate::policy::{Class, Policy, Said, SourceName};
use crate::problem::Line;

/// What some sources amount to, for every permission.
///
/// Displays as a table with the tree of permissions; [`Matrix::to_csv`] gives a
/// file for spreadsheets.
///
/// ```
/// use grantree::{Document, Policy, SourceName};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [
///         {"key": "orders", "label": "Orders", "children": [{"key": "export"}]},
///         {"key": "prices", "levels": ["hidden", "read_only", "read_write"]}]},
///     "profiles": {
///         "clerk": {"allow": ["orders.export"], "levels": {"prices": "read_only"}},
///         "lead": {"allow": ["**"], "forbid": ["orders.export"]}}
/// }"#;
/// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let profiles = policy.sources().into_iter().filter(|it| matches!(it, SourceName::Profile(_)));
/// let matrix = policy.matrix(profiles)?;
/// assert_eq!(format!("\n{matrix}"), "
///                  clerk      lead
/// orders (Orders)  .          yes
///   export         (yes)      never
/// prices           read_only  read_write
///
/// . nothing stated; (…) without effect for a user with only this source; never: forbidden
/// ");
/// assert_eq!(matrix.to_csv().lines().nth(2), Some("orders.export,,granted without effect,forbidden"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Matrix {
    /// The sources, in the order in which they were asked for.
    pub columns: Vec<Column>,
    /// The nodes of the catalogue, in its order: each before its scopes, and those
    /// before its children.
    pub rows: Vec<Row>,
}

/// A source.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {},
/// #     "roles": {"clerk": {"label": "Order clerk"}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let matrix = policy.matrix([SourceName::Role("clerk".into())])?;
/// let column = &matrix.columns[0];
/// assert_eq!(column.source.place(), "roles.clerk");
/// assert_eq!(column.label.as_deref(), Some("Order clerk"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Column {
    /// Which one.
    pub source: SourceName,
    /// Its label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A node of the catalogue, and what the sources amount to for it.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let matrix = policy.matrix([SourceName::Global])?;
/// let export = &matrix.rows[1];
/// assert_eq!((export.path.as_str(), export.depth), ("orders.export", 1));
/// assert_eq!(export.cells.len(), matrix.columns.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The node's path.
    pub path: String,
    /// Its label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How many nodes are above it.
    pub depth: usize,
    /// One cell for each source; none for a heading.
    pub cells: Vec<Cell>,
}

/// What a source amounts to for a permission.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "roles": {"clerk": {"allow": ["orders.export"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::matrix::Mark;
///
/// let matrix = policy.matrix([SourceName::Role("clerk".into())])?;
/// // Granted in vain: the clerk may not see orders.
/// let export = &matrix.rows[1].cells[0];
/// assert_eq!((&export.mark, export.without_effect), (&Mark::Granted, true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cell {
    /// What is stated, or follows from what is stated.
    pub mark: Mark,
    /// Whether it is granted but not held by a user who has only this source,
    /// because something that it answers to is missing.
    pub without_effect: bool,
}

/// What a source amounts to for a permission, on top of the global one.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "price", "levels": ["hidden", "read_only", "read_write"]}]},
/// #     "profiles": {"clerk": {"levels": {"price": "read_only"}}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::matrix::Mark;
///
/// let matrix = policy.matrix([SourceName::Profile("clerk".into())])?;
/// assert_eq!(matrix.rows[0].cells[0].mark, Mark::Level("read_only".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// No statement covers it.
    Nothing,
    /// It is granted, by a statement or an implication.
    Granted,
    /// It is graded, and this level of it is granted.
    Level(String),
    /// It is denied.
    Denied,
    /// It is forbidden.
    Forbidden,
    /// It is not licensed, whatever is stated.
    Unlicensed,
}

impl Policy {
    /// The global source and all profiles, roles and approval groups: in this
    /// order, and within each in the document's.
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "profiles": {"planner": {}},
    /// #     "roles": {"clerk": {}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let names: Vec<String> = policy.sources().iter().map(ToString::to_string).collect();
    /// assert_eq!(names, ["the global source", "profile `planner`", "role `clerk`"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sources(&self) -> Vec<SourceName> {
        let sources = &self.inner().sources;
        sources.iter().map(|(id, ..)| sources.name_of(id)).collect()
    }

    /// What some sources amount to for every permission: each with what it
    /// includes, on top of the global source, for a user who has nothing else.
    /// # Errors
    ///
    /// When a source is unknown.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let matrix = policy.matrix([SourceName::Global, SourceName::Role("clerk".into())])?;
    /// assert_eq!((matrix.columns.len(), matrix.rows.len()), (2, 1));
    /// assert!(policy.matrix([SourceName::Role("clrek".into())]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn matrix(&self, sources: impl IntoIterator<Item = SourceName>) -> Result<Matrix, Unknown> {
        let policy = self.inner();
        let catalogue = &policy.catalogue;
        let licensed = catalogue.licensed(|feature| policy.is_licensed(feature));
        let mut layers = Layers::new(policy, &licensed);
        let mut rows: Vec<Row> = catalogue
            .nodes
            .iter()
            .map(|node| Row {
                path: node.path.to_string(),
                label: node.label.as_deref().map(Into::into),
                depth: (node.depth as usize).saturating_sub(1),
                cells: Vec::new(),
            })
            .collect();
        let mut columns = Vec::new();
        for source in sources {
            let mut class = policy.holder(&source)?;
            if let SourceName::User(_) = source {
                class = Class { statements: class.statements, ..Class::default() };
            }
            let layer = layers.grants(&class);
            let effective = layers.effective(&layer.granted);
            for (id, row) in (0..).zip(&mut rows) {
                row.cells.extend(cell(catalogue, id, &layer, &effective, &licensed));
            }
            let label = policy.label(&source);
            columns.push(Column { source, label });
        }
        Ok(Matrix { columns, rows })
    }
}

fn cell(
    catalogue: &Catalogue,
    id: NodeId,
    layer: &Layer,
    effective: &BitSet,
    licensed: &BitSet,
) -> Option<Cell> {
    let node = catalogue.node(id);
    let bits = node.statement_bits();
    let all = |set: &BitSet| bits.clone().all(|bit| set.contains(bit));
    let granted = bits.clone().filter(|&bit| layer.granted.contains(bit)).count();
    let held = node.bits().filter(|&bit| effective.contains(bit)).count();
    let mark = match &node.form {
        Form::Heading => return None,
        _ if !licensed.contains(node.bit) => Mark::Unlicensed,
        // A scoped node is decided by its scopes.
        _ if all(&layer.forbidden) => Mark::Forbidden,
        Form::Graded(levels) => match layer.said_of(node) {
            Said::Deny => Mark::Denied,
            Said::Nothing if granted == 0 => Mark::Nothing,
            _ => Mark::Level(levels.get(granted).map_or_else(String::new, ToString::to_string)),
        },
        _ if granted > 0 => Mark::Granted,
        _ if all(&layer.denied) => Mark::Denied,
        _ => Mark::Nothing,
    };
    Some(Cell { mark, without_effect: granted > 0 && held == 0 })
}

impl Matrix {
    /// The matrix as comma-separated values (RFC 4180), with a header line: each
    /// permission's path and label, and a column for each source.
    ///
    /// A field that a spreadsheet would take for a formula (one that begins with
    /// `=`, `+`, `-`, `@`, a tab or a line break) gets a `'` before it, which
    /// spreadsheets read as "this is text".
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders", "label": "Orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let matrix = policy.matrix([SourceName::Role("clerk".into())])?;
    /// assert_eq!(matrix.to_csv().lines().nth(1), Some("orders,Orders,granted"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_csv(&self) -> String {
        let mut text = String::from("permission,label");
        for Column { source, label } in &self.columns {
            text.push(',');
            field(&mut text, &heading(source, label.as_deref()));
        }
        text.push_str("\r\n");
        for Row { path, label, cells, .. } in &self.rows {
            field(&mut text, path);
            text.push(',');
            field(&mut text, label.as_deref().unwrap_or_default());
            for at in 0..self.columns.len() {
                text.push(',');
                let Some(cell) = cells.get(at) else { continue };
                let mark = match &cell.mark {
                    Mark::Nothing => "",
                    Mark::Granted => "granted",
                    Mark::Level(level) => level,
                    Mark::Denied => "denied",
                    Mark::Forbidden => "forbidden",
                    Mark::Unlicensed => "unlicensed",
                };
                let vain = if cell.without_effect { " without effect" } else { "" };
                field(&mut text, &format!("{mark}{vain}"));
            }
            text.push_str("\r\n");
        }
        text
    }
}

fn field(text: &mut String, field: &str) {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    match formula || field.contains([',', '"', '\r', '\n']) {
        true => text.extend(["\"", guard, &field.replace('"', "\"\""), "\""]),
        false => text.push_str(field),
    }
}

fn heading(source: &SourceName, label: Option<&str>) -> String {
    let name = match source {
        SourceName::Global => "global",
        SourceName::Profile(name)
        | SourceName::Role(name)
        | SourceName::ApprovalGroup(name)
        | SourceName::User(name) => name,
    };
    match label.filter(|label| *label != name) {
        Some(label) => format!("{name} ({label})"),
        None => name.to_owned(),
    }
}

/// How wide a table may be before it continues in another beneath.
const WIDEST: usize = 120;
/// If any name is longer than this, names go into a legend.
const LONGEST: usize = 12;

/// As a table, columns at least two spaces apart: headed by the names of sources if
/// they are short, or else by numbers with a legend. What would be too wide
/// continues in another table beneath. Every character counts as one column wide.
impl Display for Matrix {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<String> =
            self.columns.iter().map(|column| heading(&column.source, None)).collect();
        let numbered = names.iter().any(|name| width(name) > LONGEST);
        let tree: Vec<String> = self.rows.iter().map(Row::name).collect();
        let first = tree.iter().map(|name| width(name)).max().unwrap_or(0);
        let columns: Vec<Vec<String>> = (1..)
            .zip(names.iter().enumerate())
            .map(|(number, (at, name))| {
                let header = if numbered { number.to_string() } else { Line(name).to_string() };
                let cells = self
                    .rows
                    .iter()
                    .map(|row| row.cells.get(at).map_or_else(String::new, Cell::text));
                std::iter::once(header).chain(cells).collect()
            })
            .collect();
        if numbered {
            for (at, Column { source, label }) in (1..).zip(&self.columns) {
                let label = label.as_ref().map_or_else(String::new, |label| format!(" ({label})"));
                writeln!(f, "{at}  {}", Line(format_args!("{source}{label}")))?;
            }
            f.write_str("\n")?;
        }
        let mut rest = &columns[..];
        loop {
            let mut wide = first;
            let widths =
                rest.iter().map(|column| column.iter().map(|it| width(it)).max().unwrap_or(0));
            let widths: Vec<usize> = widths
                .enumerate()
                .take_while(|&(at, width)| {
                    wide = width.saturating_add(wide).saturating_add(2);
                    at == 0 || wide <= WIDEST
                })
                .map(|(_, width)| width)
                .collect();
            let (now, later) = rest.split_at(widths.len());
            for line in 0..=self.rows.len() {
                let name = line.checked_sub(1).and_then(|row| tree.get(row));
                let mut text = String::new();
                pad(&mut text, name.map_or("", String::as_str), first);
                for (column, &width) in now.iter().zip(&widths) {
                    text.push_str("  ");
                    pad(&mut text, column.get(line).map_or("", String::as_str), width);
                }
                writeln!(f, "{}", text.trim_end())?;
            }
            f.write_str("\n")?;
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        f.write_str(". nothing stated; (…) without effect for a user with only this source; never: forbidden\n")
    }
}

impl Row {
    /// Its key, indented to its depth, and its label.
    fn name(&self) -> String {
        let key = self.path.rsplit('.').next().unwrap_or_default();
        let label = self.label.as_ref().filter(|label| *label != key);
        let label = label.map_or_else(String::new, |label| format!(" ({})", Line(label)));
        format!("{}{key}{label}", "  ".repeat(self.depth))
    }
}

impl Cell {
    fn text(&self) -> String {
        let mark = match &self.mark {
            Mark::Nothing => ".",
            Mark::Granted => "yes",
            Mark::Level(level) => level,
            Mark::Denied => "no",
            Mark::Forbidden => "never",
            Mark::Unlicensed => "unlicensed",
        };
        match self.without_effect {
            true => format!("({})", Line(mark)),
            false => Line(mark).to_string(),
        }
    }
}

/// Adds a text, padded with spaces to a width: `format!` limits widths to 65,535.
fn pad(line: &mut String, text: &str, to: usize) {
    line.push_str(text);
    line.extend(std::iter::repeat_n(' ', to.saturating_sub(width(text))));
}

fn width(text: &str) -> usize {
    text.chars().count()
}
