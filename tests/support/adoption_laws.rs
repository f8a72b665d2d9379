//! Laws of adopting, exporting and importing.

use std::collections::BTreeSet;

use grantree::change::{Actor, Applied, Change, Note, OnConflict, Rule};
use grantree::problem::Problem;
use grantree::{Adopted, Document, Policy, SourceName};

use super::case::{Case, each, policy, sources};
use super::{erosion, renaming};

/// Adopting a document that fits is the same as reading it.
pub fn adopting_what_fits_leaves_nothing_out(case: &Case) {
    let Adopted { policy, left_out } = adopt(&case.document);
    assert_eq!(left_out, []);
    assert_eq!(Document::from(&policy), case.document);
}

/// Under another catalogue, adoption leaves out all that would be refused, each once
/// and with its place, restrictions apart, and nothing else but the kinds of change
/// that needed it.
pub fn adopting_leaves_out_what_would_be_refused(case: &Case) {
    for document in erosion::eroded(&case.document) {
        let problems: Vec<Problem> = match Policy::try_from(document.clone()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().cloned().collect(),
        };
        let Adopted { policy, left_out } = adopt(&document);
        let left: Vec<Problem> = left_out.iter().map(|left| left.problem.clone()).collect();
        assert_eq!(left, problems);
        for left in &left_out {
            let place = left.problem.place();
            let restricting = [".except[", ".deny[", ".forbid[", ".bounds."];
            let restricts = restricting.iter().any(|at| place.contains(at))
                || place.starts_with("governance.separation[");
            assert_eq!(left.restriction, restricts, "{left}");
        }
        let places: BTreeSet<&str> = problems.iter().map(Problem::place).collect();
        assert_eq!(places.len(), problems.len());
        let adopted = Document::from(&policy);
        let expected = erosion::without(&document, &places);
        assert!(erosion::sorted(&adopted) == expected, "{left_out:?}");
        let Adopted { left_out, .. } = adopt(&adopted);
        assert_eq!(left_out, []);
    }
}

/// Statements follow permissions to the paths that these have now.
pub fn what_was_renamed_is_found(case: &Case) {
    let mut stored = case.document.clone();
    let renamed = renaming::renamed(&stored);
    stored.catalogue = renamed.catalogue.clone();
    let Adopted { policy, left_out } = adopt(&stored);
    assert_eq!(left_out, []);
    assert_eq!(Document::from(&policy), renamed);
}

fn adopt(document: &Document) -> Adopted {
    match Policy::builder().adopt(document.clone()) {
        Ok(adopted) => adopted,
        Err(problems) => panic!("a document is not adopted:\n{problems}"),
    }
}

// Laws of export.

/// All that is exported arrives unchanged in a policy of the same catalogue, and
/// importing it into the policy that it came from changes nothing.
pub fn what_is_exported_imports_as_it_was(case: &Case) {
    let from = &case.policy;
    let bundle = from.export_all();
    let text = serde_json::to_string(&bundle).expect("a bundle serializes");
    assert_eq!(bundle, serde_json::from_str(&text).expect("a bundle reads back"));

    let bare = Document { catalogue: case.document.catalogue.clone(), ..Document::default() };
    let import = Change::Import { bundle: bundle.clone(), on_conflict: OnConflict::Refuse };
    let Applied { policy: into, notes, .. } =
        policy(&bare).apply(Actor::Host, &import).expect("there is nothing in the way");
    assert_eq!(notes, []);
    let into = Document::from(&into);
    assert_eq!(into.profiles, case.document.profiles);
    assert_eq!(into.roles, case.document.roles);
    assert_eq!(into.approval_groups, case.document.approval_groups);

    // What is protected is not replaced.
    let mut open = case.document.clone();
    open.roles = each(open.roles, |role| role.source.protected = false);
    let from = policy(&open);
    let import = Change::Import { bundle: from.export_all(), on_conflict: OnConflict::Replace };
    let Applied { policy: after, notes, .. } =
        from.apply(Actor::Host, &import).expect("it is as it was");
    assert_eq!(notes, []);
    assert_eq!(Document::from(&after), open);
}

/// Chosen sources are exported as they are, with the roles that they include and
/// no others, so that an import leaves out no more than names of roles that guard
/// or follow.
pub fn what_is_chosen_is_exported_with_what_it_includes(case: &Case) {
    let from = &case.policy;
    let bare = Document { catalogue: case.document.catalogue.clone(), ..Document::default() };
    let bare = policy(&bare);
    for source in sources(&case.document) {
        let exported = from.export([&source]);
        if matches!(source, SourceName::Global | SourceName::User(_)) {
            assert_eq!(exported.expect_err("it is no bundle").rule, Rule::Invalid);
            continue;
        }
        let bundle = exported.expect("a source of the policy");
        let mut wanted = BTreeSet::new();
        let mut open = Vec::new();
        match &source {
            SourceName::Role(name) => open.push(name.as_str()),
            SourceName::Profile(name) => {
                assert_eq!(bundle.profiles.get(name), case.document.profiles.get(name));
            }
            SourceName::ApprovalGroup(name) => {
                let known = &case.document.approval_groups;
                assert_eq!(bundle.approval_groups.get(name), known.get(name));
            }
            _ => {}
        }
        while let Some(name) = open.pop() {
            if wanted.insert(name) {
                let role = case.document.roles.get(name).expect("a role");
                assert_eq!(bundle.roles.get(name), Some(role));
                open.extend(role.includes.iter().map(String::as_str));
            }
        }
        let sources = bundle.profiles.len() + bundle.roles.len() + bundle.approval_groups.len();
        assert_eq!(bundle.roles.len(), wanted.len());
        assert_eq!(sources, wanted.len().max(1));
        let import = Change::Import { bundle, on_conflict: OnConflict::Refuse };
        let Applied { notes, .. } =
            bare.apply(Actor::Host, &import).expect("nothing is in the way");
        let names_a_role = |note: &Note| match note {
            Note::LeftOut(left) => {
                let field = left.problem.place().rsplit('.').next().expect("a field");
                field == "demoted_to" || field.starts_with("assignable_by[")
            }
            _ => false,
        };
        assert!(notes.iter().all(names_a_role), "{notes:?}");
    }
}
