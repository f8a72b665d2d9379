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
//! let cells = matrix.rows[0].cells();
//! let orders: Vec<bool> = cells.map(|cell| cell.effect == Some(Effect::Allow)).collect();
//! // The global source, the clerk and the driver.
//! assert_eq!(orders, [false, true, false]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt::{self, Debug, Display, Formatter};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::bits::BitSet;
use crate::catalogue::{Catalogue, Form, NodeId};
use crate::engine::{Layer, Layers, Unknown};
use crate::explain::{Effect, SourceRef};
use crate::ids::{Number, each};
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
///
/// Serializes with its cells.
#[derive(Clone)]
#[non_exhaustive]
pub struct Row {
    /// The node's path.
    pub path: String,
    /// Its label for people.
    pub label: Option<String>,
    /// The number of nodes above it.
    pub depth: usize,
    id: NodeId,
    table: Arc<Table>,
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
/// let export = matrix.rows[1].cell(0).expect("of the clerk");
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
        let (mut columns, mut effects) = (Vec::new(), Vec::new());
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
            effects.push(Effects::new(layer, effective, left_out(stated, catalogue)));
            columns.push(SourceRef { label: policy.label(&source), ..source });
        }
        let table =
            Arc::new(Table { catalogue: Arc::clone(catalogue), licensed, columns: effects });
        let nodes = NodeId::first(catalogue.nodes.len()).zip(catalogue.nodes.values());
        let rows = nodes.map(|(id, node)| Row {
            path: node.path.to_string(),
            label: node.label.as_deref().map(Into::into),
            depth: (node.depth as usize).saturating_sub(1),
            id,
            table: Arc::clone(&table),
        });
        Ok(Matrix { columns, rows: rows.collect() })
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

/// The effects of all sources, as sets of permissions. Cells are made of these when they are
/// asked for: there may be many more of them than of anything in the policy.
struct Table {
    catalogue: Arc<Catalogue>,
    licensed: BitSet,
    columns: Vec<Effects>,
}

/// The effects of a source on top of the global one.
struct Effects {
    layer: Layer,
    effective: BitSet,
    left_out: BitSet,
    /// The permissions about which any of these has something.
    any: BitSet,
}

/// A cell before its words are copied.
struct Content<'c> {
    mark: Mark<'c>,
    without_effect: bool,
}

/// The effect that a cell shows.
enum Mark<'c> {
    Unlicensed,
    Nothing,
    Allow,
    Level(&'c str),
    Except,
    Deny,
    Forbid,
}

impl Effects {
    fn new(layer: Layer, effective: BitSet, left_out: BitSet) -> Effects {
        let mut any = layer.said.clone();
        for set in [&layer.granted, &layer.denied, &layer.forbidden, &left_out] {
            any.union_with(set);
        }
        Effects { layer, effective, left_out, any }
    }
}

impl Row {
    /// Returns the effect of each source, in the order of the columns; nothing for a heading.
    pub fn cells(&self) -> impl Iterator<Item = Cell> {
        self.contents().map(Content::cell)
    }

    /// Returns the effect of the source of a column; `None` for a heading, or beyond the last
    /// column.
    pub fn cell(&self, column: usize) -> Option<Cell> {
        Some(self.content(self.table.columns.get(column)?)?.cell())
    }

    fn contents(&self) -> impl Iterator<Item = Content<'_>> {
        self.table.columns.iter().map_while(|effects| self.content(effects))
    }

    fn content<'c>(&'c self, effects: &Effects) -> Option<Content<'c>> {
        let Table { catalogue, licensed, .. } = &*self.table;
        let node = catalogue.node(self.id);
        let Effects { layer, effective, left_out, any } = effects;
        let bits = each(node.statement_bits());
        if node.form == Form::Heading {
            return None;
        }
        let is_licensed = licensed.contains(node.bit);
        if !bits.clone().any(|bit| any.contains(bit)) {
            let mark = if is_licensed { Mark::Nothing } else { Mark::Unlicensed };
            return Some(Content { mark, without_effect: false });
        }
        let all = |set: &BitSet| bits.clone().all(|bit| set.contains(bit));
        let granted = bits.clone().filter(|&bit| layer.granted.contains(bit)).count();
        let held = node.level(|bit| effective.contains(bit)) > 0;
        let mark = match &node.form {
            _ if !is_licensed => Mark::Unlicensed,
            // The statements about a scoped node are about its scopes.
            _ if all(&layer.forbidden) => Mark::Forbid,
            _ if all(&layer.denied) => Mark::Deny,
            Form::Graded(levels) if granted > 0 || layer.said_of(node) != Said::Nothing => {
                levels.get(granted).map_or(Mark::Nothing, |level| Mark::Level(level))
            }
            _ if granted > 0 => Mark::Allow,
            _ if all(left_out) => Mark::Except,
            _ => Mark::Nothing,
        };
        Some(Content { mark, without_effect: granted > 0 && !held })
    }
}

impl Debug for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let cells: Vec<Cell> = self.cells().collect();
        let mut row = f.debug_struct("Row");
        row.field("path", &self.path).field("label", &self.label).field("depth", &self.depth);
        row.field("cells", &cells).finish()
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Row) -> bool {
        (&self.path, &self.label, self.depth) == (&other.path, &other.label, other.depth)
            && self.cells().eq(other.cells())
    }
}

impl Eq for Row {}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'r> {
            path: &'r str,
            #[serde(skip_serializing_if = "Option::is_none")]
            label: Option<&'r str>,
            depth: usize,
            cells: Cells<'r>,
        }
        struct Cells<'r>(&'r Row);
        impl Serialize for Cells<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.cells())
            }
        }
        let Row { path, label, depth, .. } = self;
        let row = Written { path, label: label.as_deref(), depth: *depth, cells: Cells(self) };
        row.serialize(serializer)
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
        let mut line = String::new();
        for row @ Row { path, label, .. } in rows {
            write_field(f, path)?;
            f.write_str(",")?;
            write_field(f, label.as_deref().unwrap_or_default())?;
            let mut contents = row.contents();
            for _ in columns {
                line.push(',');
                let Some(content) = contents.next() else { continue };
                let effect = content.text(["", "granted", "denied", "forbidden"]);
                let without = if content.without_effect { " without effect" } else { "" };
                if is_plain(effect) {
                    line.extend([effect, without]);
                } else {
                    line.push_str(&Field(&format!("{effect}{without}")).to_string());
                }
            }
            line.push_str("\r\n");
            f.write_str(&line)?;
            line.clear();
        }
        Ok(())
    }
}

fn column_name(column: &SourceRef) -> &str {
    column.assignment.as_deref().or(column.source.name()).unwrap_or("global")
}

/// A field of comma-separated values.
struct Field<'f>(&'f str);

impl Display for Field<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_field(f, self.0)
    }
}

/// Writes a field of comma-separated values.
pub(crate) fn write_field(f: &mut Formatter<'_>, field: &str) -> fmt::Result {
    if is_plain(field) {
        return f.write_str(field);
    }
    let guard = if is_formula(field) { "'" } else { "" };
    write!(f, "\"{guard}{}\"", field.replace('"', "\"\""))
}

/// Returns whether a field is written as it is.
fn is_plain(field: &str) -> bool {
    !is_formula(field) && !field.contains([',', '"', '\r', '\n'])
}

/// Returns whether a spreadsheet would take a field for a formula.
fn is_formula(field: &str) -> bool {
    field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
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
        // Made as they are written, since there may be many.
        let columns = names().enumerate().map(|(at, name)| {
            let number = at.saturating_add(1);
            let header = if numbered { number.to_string() } else { Line(name).to_string() };
            let in_table = |row: &Row| {
                let content = row.content(row.table.columns.get(at)?);
                Some(content?.in_table())
            };
            TextColumn::new(header, self.rows.iter().map(|row| in_table(row).unwrap_or_default()))
        });
        let mut columns = columns.peekable();
        loop {
            let mut now: Vec<TextColumn> = columns.next().into_iter().collect();
            let mut wide = now.iter().fold(first.width, wider);
            while let Some(column) = columns.next_if(|column| wider(wide, column) <= WIDEST) {
                wide = wider(wide, &column);
                now.push(column);
            }
            for line in 0..=self.rows.len() {
                let mut text = String::new();
                first.push_padded(&mut text, line);
                for column in &now {
                    text.push_str("  ");
                    column.push_padded(&mut text, line);
                }
                writeln!(f, "{}", text.trim_end())?;
            }
            f.write_str("\n")?;
            if columns.peek().is_none() {
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

/// The width of a table with another column.
fn wider(wide: usize, column: &TextColumn) -> usize {
    wide.saturating_add(column.width).saturating_add(2)
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

impl<'c> Content<'c> {
    fn cell(self) -> Cell {
        let effect = match self.mark {
            Mark::Unlicensed | Mark::Nothing => None,
            Mark::Allow => Some(Effect::Allow),
            Mark::Level(level) => Some(Effect::Level(level.to_owned())),
            Mark::Except => Some(Effect::Except),
            Mark::Deny => Some(Effect::Deny),
            Mark::Forbid => Some(Effect::Forbid),
        };
        let licensed = !matches!(self.mark, Mark::Unlicensed);
        Cell { effect, licensed, without_effect: self.without_effect }
    }

    /// The effect in words: those for nothing, allowed, denied and forbidden are given.
    fn text(&self, [nothing, allowed, denied, forbidden]: [&'c str; 4]) -> &'c str {
        match self.mark {
            Mark::Unlicensed => "unlicensed",
            Mark::Nothing => nothing,
            Mark::Allow => allowed,
            Mark::Level(level) => level,
            Mark::Except => "left out",
            Mark::Deny => denied,
            Mark::Forbid => forbidden,
        }
    }

    fn in_table(&self) -> String {
        let effect = Line(self.text([".", "yes", "no", "never"]));
        if self.without_effect { format!("({effect})") } else { effect.to_string() }
    }
}
