//! The rules about who may change a policy, and about results that no change may have
//! (design, section 5).

use std::collections::BTreeMap;

use super::SourceKind;
use crate::bits::{BitSet, Word, position};
use crate::catalogue::Bit;
use crate::document;

macro_rules! change_kinds {
    ($($kind:ident $code:literal,)*) => {
        /// A kind of change, as `governance.permissions` names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum ChangeKind { $($kind,)* }

        impl ChangeKind {
            pub(crate) const ALL: &[ChangeKind] = &[$(ChangeKind::$kind,)*];

            pub(crate) fn code(self) -> &'static str {
                match self { $(ChangeKind::$kind => $code,)* }
            }
        }
    };
}

change_kinds! {
    CreateProfile "create_profile",
    CreateRole "create_role",
    CreateApprovalGroup "create_approval_group",
    RenameProfile "rename_profile",
    RenameRole "rename_role",
    RenameApprovalGroup "rename_approval_group",
    RenameUser "rename_user",
    EditProfile "edit_profile",
    EditRole "edit_role",
    EditApprovalGroup "edit_approval_group",
    EditUser "edit_user",
    EditGlobal "edit_global",
    DeleteProfile "delete_profile",
    DeleteRole "delete_role",
    DeleteApprovalGroup "delete_approval_group",
    AssignProfile "assign_profile",
    AssignRole "assign_role",
    AssignApprovalGroup "assign_approval_group",
    RevokeProfile "revoke_profile",
    RevokeRole "revoke_role",
    RevokeApprovalGroup "revoke_approval_group",
    AddUser "add_user",
    RemoveUser "remove_user",
    Transfer "transfer",
    SetDefaultProfile "set_default_profile",
    SetAdmin "set_admin",
    SetSuspended "set_suspended",
    SetGroups "set_groups",
    SetGroup "set_group",
    SetLicence "set_licence",
    Import "import",
    SetAssignment "set_assignment",
    Expire "expire",
}

/// Kinds that do the same to a profile, a role and an approval group.
pub(crate) type ByKind = [ChangeKind; 3];

impl ChangeKind {
    pub(crate) const CREATE: ByKind =
        [ChangeKind::CreateProfile, ChangeKind::CreateRole, ChangeKind::CreateApprovalGroup];
    pub(crate) const RENAME: ByKind =
        [ChangeKind::RenameProfile, ChangeKind::RenameRole, ChangeKind::RenameApprovalGroup];
    pub(crate) const EDIT: ByKind =
        [ChangeKind::EditProfile, ChangeKind::EditRole, ChangeKind::EditApprovalGroup];
    pub(crate) const DELETE: ByKind =
        [ChangeKind::DeleteProfile, ChangeKind::DeleteRole, ChangeKind::DeleteApprovalGroup];
    pub(crate) const ASSIGN: ByKind =
        [ChangeKind::AssignProfile, ChangeKind::AssignRole, ChangeKind::AssignApprovalGroup];
    pub(crate) const REVOKE: ByKind =
        [ChangeKind::RevokeProfile, ChangeKind::RevokeRole, ChangeKind::RevokeApprovalGroup];

    /// Returns the one of these that is about that kind of source. The global source is only
    /// ever edited.
    pub(crate) fn on(changes: ByKind, kind: SourceKind) -> ChangeKind {
        let [profile, role, approval_group] = changes;
        match kind {
            SourceKind::Global => ChangeKind::EditGlobal,
            SourceKind::Profile => profile,
            SourceKind::Role => role,
            SourceKind::ApprovalGroup => approval_group,
        }
    }

    /// Returns whether changes of the kind concern users, of each of whom it is asked who
    /// may make them. Those that delete concern nobody: what is taken from holders and given
    /// to them is asked for by other kinds.
    pub(crate) fn concerns_users(self) -> bool {
        let by_kind = [ChangeKind::ASSIGN, ChangeKind::REVOKE];
        by_kind.as_flattened().contains(&self)
            || matches!(
                self,
                ChangeKind::AddUser
                    | ChangeKind::RemoveUser
                    | ChangeKind::RenameUser
                    | ChangeKind::EditUser
                    | ChangeKind::SetAssignment
                    | ChangeKind::SetSuspended
                    | ChangeKind::SetAdmin
                    | ChangeKind::SetGroups
                    | ChangeKind::Transfer
            )
    }

    /// Finds the kind that a text names.
    pub(crate) fn parse(text: &str) -> Option<ChangeKind> {
        ChangeKind::ALL.iter().copied().find(|kind| kind.code() == text)
    }
}

/// A document's governance with its references resolved.
#[derive(Debug)]
pub(crate) struct Governance {
    stated: document::Governance,
    /// The permissions that kinds of change need, all of them; any other kind is for
    /// admins.
    needs: Vec<(ChangeKind, Box<[Bit]>)>,
    separations: Vec<Separation>,
    /// The permissions of those whose edits of sources are not compared; if empty, of
    /// nobody.
    escalate: Box<[Bit]>,
    /// The same of those whose gifts of sources are not.
    bind: Box<[Bit]>,
}

/// Permissions of which no user may newly hold more than a given number.
#[derive(Debug)]
pub(crate) struct Separation {
    pub(crate) name: Box<str>,
    /// The names of its permissions, as stated.
    permissions: Box<[Box<str>]>,
    bits: Box<[Bit]>,
    /// The same bits, to be counted word by word.
    weights: Box<[Weight]>,
    at_most: usize,
}

/// Bits of a word of a set that count equally: 1, 2, 4 and so on, to the power given.
// A permission that is named many times counts as often: once for each digit of that number.
#[derive(Debug)]
struct Weight {
    word: usize,
    bits: Word,
    power: u32,
}

/// Sums up bits by words and weights.
fn weights(bits: &[Bit]) -> Box<[Weight]> {
    let mut sorted = bits.to_vec();
    sorted.sort_unstable();
    let mut weights: BTreeMap<(usize, u32), Word> = BTreeMap::new();
    for alike in sorted.chunk_by(|one, next| one == next) {
        let Some(bit) = alike.first() else { continue };
        for power in (0..usize::BITS).filter(|power| alike.len() >> power & 1 == 1) {
            let (word, bit) = position(*bit);
            *weights.entry((word, power)).or_default() |= bit;
        }
    }
    weights.into_iter().map(|((word, power), bits)| Weight { word, bits, power }).collect()
}

impl Separation {
    /// Counts those of its permissions that a user holds.
    fn count(&self, held: &BitSet) -> usize {
        let counted = self.weights.iter().map(|&Weight { word, bits, power }| {
            let held = held.words().get(word).map_or(0, |held| held & bits);
            (held.count_ones() as usize) << power
        });
        counted.fold(0, usize::saturating_add)
    }

    /// Returns the names of those of its permissions that a user holds.
    pub(crate) fn held<'s>(&'s self, held: &BitSet) -> impl Iterator<Item = &'s str> {
        let named = self.permissions.iter().zip(&self.bits);
        named.filter(|&(_, &bit)| held.contains(bit)).map(|(name, _)| &**name)
    }

    /// Returns whether a user who holds that much is above its limit.
    pub(crate) fn is_broken_by(&self, held: &BitSet) -> bool {
        self.count(held) > self.at_most
    }
}

impl Governance {
    /// Governance as stated, with the permissions of its kinds of change, in order those of
    /// its separations, and those of `escalate` and `bind`.
    pub(super) fn new(
        stated: document::Governance,
        needs: Vec<(ChangeKind, Box<[Bit]>)>,
        separated: impl IntoIterator<Item = Box<[Bit]>>,
        [escalate, bind]: [Box<[Bit]>; 2],
    ) -> Governance {
        let separations = stated.separation.iter().zip(separated).map(|(stated, bits)| {
            let (name, at_most) = (stated.name.as_str().into(), stated.at_most as usize);
            let permissions = stated.permissions.iter().map(|it| it.as_str().into()).collect();
            let weights = weights(&bits);
            Separation { name, permissions, bits, weights, at_most }
        });
        let separations = separations.collect();
        Governance { stated, needs, separations, escalate, bind }
    }

    /// Returns it as the document has it.
    pub(crate) fn stated(&self) -> &document::Governance {
        &self.stated
    }

    pub(crate) fn no_escalation(&self) -> bool {
        self.stated.no_escalation
    }

    pub(crate) fn protects_superiors(&self) -> bool {
        self.stated.protect_superiors
    }

    /// The permissions that spare an actor the comparisons of edited sources, all of them
    /// together; `None` spares nobody.
    pub(crate) fn escalate(&self) -> Option<&[Bit]> {
        Some(&*self.escalate).filter(|bits| !bits.is_empty())
    }

    /// The permissions that spare an actor the comparisons of sources given, all of them
    /// together; `None` spares nobody.
    pub(crate) fn bind(&self) -> Option<&[Bit]> {
        Some(&*self.bind).filter(|bits| !bits.is_empty())
    }

    /// The permissions that an actor must hold, all of them, for a kind of change; `None`
    /// leaves it to admins.
    pub(crate) fn needs(&self, kind: ChangeKind) -> Option<&[Bit]> {
        let needs = self.needs.iter().find(|(known, _)| *known == kind);
        needs.map(|(_, bits)| &**bits)
    }

    /// The kinds of change that are not left to admins, with what they need.
    pub(crate) fn needed(&self) -> impl Iterator<Item = (ChangeKind, &[Bit])> {
        self.needs.iter().map(|(kind, bits)| (*kind, &**bits))
    }

    pub(crate) fn separations(&self) -> &[Separation] {
        &self.separations
    }

    pub(crate) fn has_separations(&self) -> bool {
        !self.separations.is_empty()
    }

    /// The first separation above whose limit a user would be raised, and how many of its
    /// permissions the user would then hold.
    pub(crate) fn separated(
        &self,
        before: Option<&BitSet>,
        after: &BitSet,
    ) -> Option<(&Separation, usize)> {
        let counted = self.separations.iter().map(|it| (it, it.count(after)));
        counted.into_iter().find(|&(separation, count)| {
            let held = before.map_or(0, |before| separation.count(before));
            count > separation.at_most.max(held)
        })
    }
}
