//! Numbers the nodes of the permission tree.

use crate::catalogue::{Bit, Form, Named, Node, NodeId};
use crate::document;
use crate::ids::{IdVec, Key, Number};
use crate::names::{MOST, NameMap, number};
use crate::problem::{Faults, Place, ProblemKind};

/// The nodes in the order of their numbers, with their paths and bits, and nothing
/// resolved.
///
/// A node's number is less than those of its scopes, which are less than those of its
/// children: a depth-first walk numbers them. So a subtree is a range of numbers and,
/// as bits are given out in the same order, a range of bits.
pub(super) struct Numbering<'f> {
    pub(super) nodes: IdVec<NodeId, Node>,
    pub(super) by_path: NameMap<Named>,
    pub(super) bits: Bit,
    /// `true` once there are too many nodes, so that the rest have no numbers.
    full: bool,
    /// `true` if the tree continues below the deepest level allowed.
    deep: bool,
    pub(super) faults: &'f mut Faults,
}

/// The position of siblings in the tree.
#[derive(Clone, Copy)]
struct Position {
    above: Option<NodeId>,
    gate: Option<NodeId>,
    /// 1 for the roots.
    depth: u32,
}

impl<'f> Numbering<'f> {
    pub(super) fn new(
        permissions: &[document::PermissionNode],
        place: &Place<'_>,
        faults: &'f mut Faults,
    ) -> Numbering<'f> {
        let (nodes, by_path, bits) = (IdVec::from_iter([]), NameMap::default(), Bit::default());
        let mut numbering = Numbering { nodes, by_path, bits, full: false, deep: false, faults };
        numbering.number(permissions, place, Position { above: None, gate: None, depth: 1 });
        numbering
    }

    /// Returns `true` if some nodes have no numbers, and the document may be of any size.
    pub(super) fn is_cut(&self) -> bool {
        self.full || self.deep
    }

    fn number(
        &mut self,
        permissions: &[document::PermissionNode],
        place: &Place<'_>,
        at: Position,
    ) {
        let deepest = self.faults.max_depth();
        if at.depth as usize > deepest && !permissions.is_empty() {
            self.faults.push(place, ProblemKind::TooDeep { limit: deepest });
            self.deep = true;
            return;
        }
        for (index, permission) in permissions.iter().enumerate() {
            let place = place.item(index);
            // INVARIANT: numbers and bits stay below this, for any document.
            let levels = permission.levels.as_ref().map_or(0, Vec::len);
            let known = self.nodes.len().max(self.bits.index());
            let most = self.faults.limits.permissions.min(MOST / 2);
            if known + 1 + permission.scopes.len() + levels > most && !self.full {
                self.faults.too_many(&place, "permissions", most);
                self.full = true;
            }
            if self.full {
                return;
            }
            let id = self.add(&permission.key, form(permission), at, &place);
            if let Some(feature) = &permission.feature {
                self.faults.check_name(&place.key("feature"), feature);
            }
            let node = &mut self.nodes[id];
            node.feature = permission.feature.as_deref().map(Into::into);
            node.label = permission.label.as_deref().map(Into::into);
            let within = Position { above: Some(id), gate: at.gate, depth: at.depth + 1 };
            let scopes = place.key("scopes");
            for (index, scope) in permission.scopes.iter().enumerate() {
                let form = Form::Scope(id, Box::default());
                let scope_id = self.add(&scope.key, form, within, &scopes.item(index));
                self.nodes[scope_id].label = scope.label.as_deref().map(Into::into);
            }
            let gate = if permission.heading { at.gate } else { Some(id) };
            let children = place.key("children");
            self.number(&permission.children, &children, Position { gate, ..within });
            self.nodes[id].end = NodeId::new(self.nodes.len());
        }
    }

    /// Adds a node, with the next number and the next bits.
    fn add(&mut self, key: &str, form: Form, at: Position, place: &Place<'_>) -> NodeId {
        let id = NodeId::new(self.nodes.len());
        let path = self.path(key, at.above, id, place);
        self.faults.check_name(&place.key("key"), key);
        if self.by_path.contains_key(&path) {
            self.faults.duplicate(&place.key("key"), key);
        } else {
            let bit = (form != Form::Heading).then_some(self.bits);
            self.by_path.insert(path.clone(), Named { id, bit });
        }
        let node = Node {
            path,
            label: None,
            at: if let Place::Item(_, index) = place { *index } else { 0 },
            form,
            end: id.plus(1),
            depth: at.depth,
            bit: self.bits,
            above: at.above,
            gate: at.gate,
            kind: None,
            feature: None,
            requires: Vec::new(),
            own_requires: 0,
            implies: Vec::new(),
            checks: Vec::new(),
            condition: None,
        };
        self.bits = self.bits.plus(node.width());
        self.nodes.push(node);
        id
    }

    fn path(
        &mut self,
        key: &str,
        above: Option<NodeId>,
        id: NodeId,
        place: &Place<'_>,
    ) -> Box<str> {
        let Some(above) = above else { return key.into() };
        let above = &self.nodes[above].path;
        let limit = self.faults.limits.path;
        if above.len() + key.len() < limit {
            return format!("{above}.{key}").into();
        }
        self.faults.too_long(&place.key("key"), limit);
        // No key can have this form.
        format!("#{}", id.number()).into()
    }
}

fn form(permission: &document::PermissionNode) -> Form {
    if permission.heading {
        return Form::Heading;
    }
    match permission.levels.as_deref() {
        // One level alone is a problem. The permission is graded all the same, so that a
        // statement of that level is not another.
        Some(levels @ [_, ..]) => {
            let count = levels.len().max(2);
            let levels = levels.iter().cycle().take(count);
            Form::Graded(levels.map(|level| level.as_str().into()).collect())
        }
        _ if permission.scopes.is_empty() => Form::Plain,
        _ => Form::Scoped(number(permission.scopes.len())),
    }
}
