//! Grants of several sources side by side: permissions down, sources across.
//!
//! One row, for a page of the host's own design:
//!
//! ```
//! # use grantree::{Document, Policy, SourceName};
//! # let text = r#"{
//! #     "format": 1,
//! #     "catalogue": {"permissions": [{"key": "orders"}]},
//! #     "roles": {"clerk": {"allow": ["orders"]}, "driver": {}}
//! # }"#;
//! # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
//! use grantree::explain::Effect;
//!
//! let matrix = policy.matrix(policy.sources())?;
//! let cells = &matrix.rows[0].cells;
//! let orders: Vec<bool> = cells.iter().map(|cell| cell.effect == Some(Effect::Allow)).collect();
//! // The global source, the clerk and the driver.
//! assert_eq!(orders, [false, true, false]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::bits::BitSet;
use crate::catalogue::{Catalogue, Form, Node};
use crate::engine::{Layer, Layers, Unknown};
use crate::explain::{Effect, SourceRef};
use crate::ids::each;
use crate::policy::{self, Class, Policy, Said, SourceName, StatementIndex, Statements};
use crate::problem::Line;

/// The effects of some sources on every permission.
///
/// Displays as a table with the tree of permissions; [`Matrix::to_csv`] gives a file
/// for spreadsheets.
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
    pub columns: Vec<SourceRef>,
    /// The nodes of the catalogue, in its order: each before its scopes, and those
    /// before its children.
    pub rows: Vec<Row>,
}

/// A node of the catalogue, and the effect of each source on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The node's path.
    pub path: String,
    /// Its label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The number of nodes above it.
    pub depth: usize,
    /// One cell for each source; none for a heading.
    pub cells: Vec<Cell>,
}

/// The effect of a source on a permission, on top of the global source.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "roles": {"clerk": {"allow": ["orders.export"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::explain::Effect;
///
/// let matrix = policy.matrix([SourceName::Role("clerk".into())])?;
/// let export = &matrix.rows[1].cells[0];
/// assert_eq!(export.effect, Some(Effect::Allow));
/// // In vain: the clerk may not see orders.
/// assert!(export.without_effect);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cell {
    /// The effect stated, or that of an implication: of a graded permission always a
    /// level, never [`Effect::Allow`]. [`Effect::Except`] where the nearest statement leaves
    /// the permission out, and nothing else is stated about it. `None` where no statement is
    /// about it, and where it is not licensed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// True if the permission is licensed.
    pub licensed: bool,
    /// True if it is granted but not effective for a user who has only this source,
    /// because something that it needs is missing.
    pub without_effect: bool,
}

impl Policy {
    /// Returns the global source and all profiles, roles and approval groups: in this
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

    /// Returns the effects of some sources on every permission: of each with the roles
    /// that it includes, on top of the global source, for a user who has nothing else. A
    /// column of an assignment ([`SourceRef::of_assignment`]) has its roles, its approval
    /// groups and its statements.
    ///
    /// # Errors
    ///
    /// If a source is unknown.
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
    pub fn matrix<S: Into<SourceRef>>(
        &self,
        sources: impl IntoIterator<Item = S>,
    ) -> Result<Matrix, Unknown> {
        let policy = self.inner();
        let catalogue = &policy.catalogue;
        let licensed = catalogue.licensed(|feature| policy.is_licensed(feature));
        let mut layers = Layers::new(policy, &licensed);
        let mut rows: Vec<Row> = catalogue
            .nodes
            .values()
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
            let source: SourceRef = source.into();
            let (mut class, own) = policy.holder(&source)?;
            let layer = match &own {
                Some(own) => {
                    let own = layers.of_own(own);
                    layers.grants_in(&Class::default(), &own)
                }
                None => {
                    if let SourceName::User(_) = source.source {
                        class = Class { statements: class.statements, ..Class::default() };
                    }
                    layers.grants(&class)
                }
            };
            let effective = layers.effective(&layer.granted);
            let own =
                own.as_ref().map_or(class.statements.as_deref(), |it| it.statements.as_deref());
            let shared =
                source.source.shared().and_then(|(kind, name)| policy.sources.find(kind, name));
            let stated = shared.map_or(own, |id| Some(&policy.sources[id].statements));
            let left_out = left_out(stated, catalogue);
            let effects = Effects { layer: &layer, effective: &effective, left_out: &left_out };
            for (node, row) in catalogue.nodes.values().iter().zip(&mut rows) {
                row.cells.extend(effects.cell(node, &licensed));
            }
            columns.push(SourceRef { label: policy.label(&source), ..source });
        }
        Ok(Matrix { columns, rows })
    }
}

/// Returns the permissions that a source's nearest statement leaves to others.
fn left_out(statements: Option<&Statements>, catalogue: &Catalogue) -> BitSet {
    let mut left_out = BitSet::new(catalogue.bits());
    let Some(statements) = statements.filter(|it| !it.except.is_empty()) else { return left_out };
    let index = StatementIndex::new(statements);
    for bit in catalogue.grantable.iter() {
        let nearest = index.nearest(catalogue.id_of(bit), catalogue);
        if nearest.is_some_and(|it| it.effect == policy::Effect::Except) {
            left_out.insert(bit);
        }
    }
    left_out
}

/// The effects of a source on top of the global one.
struct Effects<'s> {
    layer: &'s Layer,
    effective: &'s BitSet,
    left_out: &'s BitSet,
}

impl Effects<'_> {
    fn cell(&self, node: &Node, licensed: &BitSet) -> Option<Cell> {
        let layer = self.layer;
        let bits = each(node.statement_bits());
        let all = |set: &BitSet| bits.clone().all(|bit| set.contains(bit));
        let granted = bits.clone().filter(|&bit| layer.granted.contains(bit)).count();
        let held = node.level(|bit| self.effective.contains(bit)) > 0;
        let effect = match &node.form {
            Form::Heading => return None,
            _ if !licensed.contains(node.bit) => None,
            // The statements about a scoped node are about its scopes.
            _ if all(&layer.forbidden) => Some(Effect::Forbid),
            _ if all(&layer.denied) => Some(Effect::Deny),
            Form::Graded(levels) if granted > 0 || layer.said_of(node) != Said::Nothing => {
                levels.get(granted).map(|level| Effect::Level(level.to_string()))
            }
            _ if granted > 0 => Some(Effect::Allow),
            _ => all(self.left_out).then_some(Effect::Except),
        };
        let licensed = licensed.contains(node.bit);
        Some(Cell { effect, licensed, without_effect: granted > 0 && !held })
    }
}

impl Matrix {
    /// Returns the matrix as comma-separated values (RFC 4180), with a header line: each
    /// permission's path and label, and a column for each source.
    ///
    /// A field that a spreadsheet would take for a formula (one that begins with `=`,
    /// `+`, `-`, `@`, a tab or a line break) gets a `'` before it, which spreadsheets
    /// read as "this is text".
    ///
    /// For a large one, [`Matrix::csv`] takes no memory for the text.
    pub fn to_csv(&self) -> String {
        self.csv().to_string()
    }

    /// Returns the same to be displayed: it is written as it is made, to whatever `write!`
    /// takes, such as a file.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// use std::io::Write;
    ///
    /// let matrix = policy.matrix([SourceName::Role("clerk".into())])?;
    /// let mut file = Vec::new();
    /// write!(file, "{}", matrix.csv())?;
    /// assert_eq!(file, b"permission,label,clerk\r\norders,,granted\r\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn csv(&self) -> impl Display {
        Csv(self)
    }
}

/// A matrix as comma-separated values.
struct Csv<'m>(&'m Matrix);

impl Display for Csv<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Matrix { columns, rows } = self.0;
        f.write_str("permission,label")?;
        for column @ SourceRef { label, .. } in columns {
            let name = column_name(column);
            let label = label.as_ref().filter(|label| *label != name);
            let label = label.map_or_else(String::new, |label| format!(" ({label})"));
            f.write_str(",")?;
            write_field(f, &format!("{name}{label}"))?;
        }
        f.write_str("\r\n")?;
        for Row { path, label, cells, .. } in rows {
            write_field(f, path)?;
            f.write_str(",")?;
            write_field(f, label.as_deref().unwrap_or_default())?;
            for at in 0..columns.len() {
                f.write_str(",")?;
                let Some(cell) = cells.get(at) else { continue };
                let effect = cell.text(["", "granted", "denied", "forbidden"]);
                let without = if cell.without_effect { " without effect" } else { "" };
                write_field(f, &format!("{effect}{without}"))?;
            }
            f.write_str("\r\n")?;
        }
        Ok(())
    }
}

fn column_name(column: &SourceRef) -> &str {
    column.assignment.as_deref().or(column.source.name()).unwrap_or("global")
}

/// Writes a field of comma-separated values.
pub(crate) fn write_field(f: &mut Formatter<'_>, field: &str) -> fmt::Result {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if is_formula || field.contains([',', '"', '\r', '\n']) {
        let guard = if is_formula { "'" } else { "" };
        write!(f, "\"{guard}{}\"", field.replace('"', "\"\""))
    } else {
        f.write_str(field)
    }
}

/// The widest that a table may be before it continues in another one below.
const WIDEST: usize = 120;
/// If any name is longer than this, names go into a legend.
const LONGEST: usize = 12;

/// As a table, columns at least two spaces apart: headed by the names of sources if
/// they are short, or else by numbers with a legend. Columns that would make it too
/// wide continue in another table below. Every character counts as one column wide.
impl Display for Matrix {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = || self.columns.iter().map(column_name);
        let numbered = names().any(|name| width(name) > LONGEST);
        if numbered {
            for (number, column) in (1..).zip(&self.columns) {
                writeln!(f, "{number}  {}", Line(column))?;
            }
            f.write_str("\n")?;
        }
        let nodes = self.rows.iter().map(Row::name);
        let first = TextColumn::new(String::new(), nodes);
        let columns = names().enumerate().map(|(at, name)| {
            let number = at.saturating_add(1);
            let header = if numbered { number.to_string() } else { Line(name).to_string() };
            let cells = self.rows.iter().map(|row| row.cells.get(at));
            TextColumn::new(header, cells.map(|it| it.map_or_else(String::new, Cell::in_table)))
        });
        let columns: Vec<TextColumn> = columns.collect();
        let mut rest = &columns[..];
        loop {
            let mut wide = first.width;
            let fitting = rest.iter().take_while(|column| {
                wide = wide.saturating_add(column.width).saturating_add(2);
                wide <= WIDEST
            });
            let count = fitting.count().max(1).min(rest.len());
            let (now, later) = rest.split_at(count);
            for line in 0..=self.rows.len() {
                let mut text = String::new();
                first.push_padded(&mut text, line);
                for column in now {
                    text.push_str("  ");
                    column.push_padded(&mut text, line);
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

/// A column of the table: its header, and the text of each row.
struct TextColumn {
    lines: Vec<String>,
    width: usize,
}

impl TextColumn {
    fn new(header: String, cells: impl Iterator<Item = String>) -> TextColumn {
        let lines: Vec<String> = std::iter::once(header).chain(cells).collect();
        let width = lines.iter().map(|line| width(line)).max().unwrap_or(0);
        TextColumn { lines, width }
    }

    /// Appends a line, padded with spaces: `format!` limits widths to 65,535.
    fn push_padded(&self, text: &mut String, line: usize) {
        let line = self.lines.get(line).map_or("", String::as_str);
        text.push_str(line);
        text.extend(std::iter::repeat_n(' ', self.width.saturating_sub(width(line))));
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

impl Row {
    /// The node's key, indented to its depth, and its label.
    fn name(&self) -> String {
        let key = self.path.rsplit('.').next().unwrap_or_default();
        let label = self.label.as_ref().filter(|label| *label != key);
        let label = label.map_or_else(String::new, |label| format!(" ({})", Line(label)));
        format!("{}{key}{label}", "  ".repeat(self.depth))
    }
}

impl Cell {
    /// The effect in words: those for nothing, allowed, denied and forbidden are given.
    fn text<'c>(&'c self, [nothing, allowed, denied, forbidden]: [&'c str; 4]) -> &'c str {
        match &self.effect {
            _ if !self.licensed => "unlicensed",
            None => nothing,
            Some(Effect::Allow) => allowed,
            Some(Effect::Level(level)) => level,
            Some(Effect::Except) => "left out",
            Some(Effect::Deny) => denied,
            Some(Effect::Forbid) => forbidden,
        }
    }

    fn in_table(&self) -> String {
        let effect = Line(self.text([".", "yes", "no", "never"]));
        if self.without_effect { format!("({effect})") } else { effect.to_string() }
    }
}
