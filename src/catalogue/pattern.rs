//! The patterns of statements, and the permissions that they match (design, rule 1).

use std::ops::Range;

use smallvec::SmallVec;

use super::{Bit, Catalogue, Form, NodeId};
use crate::ids::each;
use crate::problem::{MAX_LISTED, ProblemKind, truncate_list};

/// A pattern with its base resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pattern {
    /// The node that it starts from; `None` for `*` and `**`.
    pub(crate) base: Option<NodeId>,
    pub(crate) reach: Reach,
}

/// The reach of a pattern from its base. On the same base, the later variant wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reach {
    /// `base.**`: the base and everything under it.
    Subtree,
    /// `base.*`: the direct children.
    Children,
    /// The base itself.
    Exact,
}

impl Pattern {
    /// Returns the pattern that matches exactly a node.
    pub(crate) fn exactly(id: NodeId) -> Pattern {
        Pattern { base: Some(id), reach: Reach::Exact }
    }

    /// Parses a pattern; the error is the problem, or the path that is unknown.
    pub(crate) fn parse<'t>(
        text: &'t str,
        catalogue: &Catalogue,
    ) -> Result<Pattern, Result<ProblemKind, &'t str>> {
        let (base, reach) = match text {
            "*" => (None, Reach::Children),
            "**" => (None, Reach::Subtree),
            _ => {
                let (base, reach) = if let Some(base) = text.strip_suffix(".**") {
                    (base, Reach::Subtree)
                } else if let Some(base) = text.strip_suffix(".*") {
                    (base, Reach::Children)
                } else {
                    (text, Reach::Exact)
                };
                (Some(catalogue.find(base).ok_or(Err(base))?), reach)
            }
        };
        if let (Some(base), Reach::Exact) = (base, reach)
            && catalogue.node(base).form == Form::Heading
        {
            return Err(Ok(ProblemKind::Heading { name: text.to_owned() }));
        }
        let pattern = Pattern { base, reach };
        if !pattern.matches_anything(catalogue) {
            return Err(Ok(ProblemKind::MatchesNothing { pattern: text.to_owned() }));
        }
        Ok(pattern)
    }

    /// Returns the nearness of its base to the permissions that it matches: of two
    /// patterns that match one, the greater wins.
    ///
    /// A scoped node's exact path counts as `base.*` over its scopes.
    pub(crate) fn nearness(self, catalogue: &Catalogue) -> (u32, Reach) {
        let Some(base) = self.base else {
            return (0, self.reach);
        };
        let base = catalogue.node(base);
        match (self.reach, &base.form) {
            (Reach::Exact, Form::Scoped(_)) => (base.depth, Reach::Children),
            (reach, _) => (base.depth, reach),
        }
    }

    /// Returns the nodes that it matches: headings are passed over, and a scoped node
    /// stands for its scopes.
    fn nodes(self, catalogue: &Catalogue) -> impl Iterator<Item = NodeId> {
        let (subtree, children, exact) = match (self.reach, self.base) {
            (Reach::Subtree, base) => (Some(each(catalogue.subtree(base))), None, None),
            (Reach::Children, base) => (None, Some(catalogue.children(base)), None),
            (Reach::Exact, base) => (None, None, base),
        };
        subtree
            .into_iter()
            .flatten()
            .chain(children.into_iter().flatten())
            .chain(exact)
            .filter(|&id| catalogue.node(id).form != Form::Heading)
    }

    /// Returns whether it matches one permission, by its path.
    #[inline]
    pub(crate) fn is_single(self, catalogue: &Catalogue) -> bool {
        let scoped = |id| matches!(catalogue.node(id).form, Form::Scoped(_));
        self.reach == Reach::Exact && !self.base.is_some_and(scoped)
    }

    /// Returns a test of the patterns that match a permission; a scope also through its
    /// scoped node.
    #[inline]
    pub(crate) fn that_match(id: NodeId, catalogue: &Catalogue) -> impl Fn(Pattern) -> bool {
        let place = |id| (id, catalogue.node(id).above);
        let (of_itself, of_scoped) = (place(id), catalogue.scoped_of(id).map(place));
        move |Pattern { base, reach }| {
            let matches = |(id, above)| match reach {
                Reach::Exact => base == Some(id),
                Reach::Children => base == above,
                Reach::Subtree => catalogue.subtree(base).contains(&id),
            };
            matches(of_itself) || of_scoped.is_some_and(matches)
        }
    }

    /// Returns all patterns that match a permission.
    pub(crate) fn all_that_match(id: NodeId, catalogue: &Catalogue) -> SmallVec<[Pattern; 8]> {
        let mut all = SmallVec::new();
        all.push(Pattern { base: None, reach: Reach::Subtree });
        let mut next = Some(id);
        while let Some(id) = next {
            all.push(Pattern { base: Some(id), reach: Reach::Subtree });
            next = catalogue.node(id).above;
        }
        let mut next = Some(id);
        while let Some(id) = next {
            let node = catalogue.node(id);
            all.push(Pattern { base: node.above, reach: Reach::Children });
            all.push(Pattern::exactly(id));
            next = match node.form {
                Form::Scope(of, _) => Some(of),
                _ => None,
            };
        }
        all
    }

    fn matches_anything(self, catalogue: &Catalogue) -> bool {
        // A scoped node has at least one scope.
        self.nodes(catalogue).next().is_some()
    }

    /// Returns the bits that it matches. The bits of scoped nodes, which statements don't
    /// reach, may be among them.
    #[inline]
    pub(crate) fn ranges(self, catalogue: &Catalogue) -> impl Iterator<Item = Range<Bit>> {
        let (whole, children) = match (self.reach, self.base) {
            (Reach::Subtree, base) => (Some(catalogue.subtree_bits(base)), None),
            (Reach::Exact, Some(base)) => (Some(catalogue.node(base).statement_bits()), None),
            (_, base) => (None, Some(catalogue.children(base))),
        };
        let children = children.into_iter().flatten();
        whole.into_iter().chain(children.map(|id| catalogue.node(id).statement_bits()))
    }

    /// Returns the graded nodes that it matches and that have that level, each with the
    /// level's number.
    pub(crate) fn graded(
        self,
        level: &str,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = (NodeId, usize)> {
        self.nodes(catalogue).filter_map(move |id| match &catalogue.node(id).form {
            Form::Graded(levels) => Some((id, levels.iter().position(|known| **known == *level)?)),
            _ => None,
        })
    }

    /// Returns `true` if a level is below another for the first node with both that it
    /// matches.
    pub(crate) fn lowers(self, level: &str, other: &str, catalogue: &Catalogue) -> bool {
        let other_of = |id| match &catalogue.node(id).form {
            Form::Graded(levels) => levels.iter().position(|known| **known == *other),
            _ => None,
        };
        let mut both =
            self.graded(level, catalogue).filter_map(|(id, at)| Some((at, other_of(id)?)));
        both.next().is_some_and(|(level, other)| level < other)
    }

    /// Returns the levels of the nodes that it matches.
    pub(crate) fn levels(self, catalogue: &Catalogue) -> impl Iterator<Item = &str> {
        self.nodes(catalogue)
            .filter_map(|id| match &catalogue.node(id).form {
                Form::Graded(levels) => Some(levels),
                _ => None,
            })
            .flatten()
            .map(|level| &**level)
    }

    /// Returns the problem that none of the nodes that it matches has a level.
    pub(crate) fn no_such_level(
        self,
        level: &str,
        nearest: Option<String>,
        catalogue: &Catalogue,
    ) -> ProblemKind {
        let mut known: Vec<String> = Vec::new();
        for level in self.levels(catalogue) {
            if known.len() <= MAX_LISTED && !known.iter().any(|known| known == level) {
                known.push(level.to_owned());
            }
        }
        let (pattern, level) = (self.text(catalogue), level.to_owned());
        ProblemKind::NoSuchLevel { pattern, level, nearest, known: truncate_list(known) }
    }

    /// Returns the pattern as it is written.
    pub(crate) fn text(self, catalogue: &Catalogue) -> String {
        let base = self.base.map_or("", |base| &catalogue.node(base).path);
        match (self.base, self.reach) {
            (None, Reach::Subtree) => "**".to_owned(),
            (None, _) => "*".to_owned(),
            (Some(_), Reach::Subtree) => format!("{base}.**"),
            (Some(_), Reach::Children) => format!("{base}.*"),
            (Some(_), Reach::Exact) => base.to_owned(),
        }
    }
}
