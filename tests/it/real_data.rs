//! Every grant of two clouds' roles, and nothing else.

use std::collections::BTreeSet;

use grantree::document::UserEntry;
use grantree::{Engine, Permission, Policy};

use crate::real::{self, Block, Cloud, covers, spelled};

/// For each role, a user who has only this one holds exactly what the table grants.
fn check(cloud: Cloud) {
    let Cloud { mut document, paths, grants, .. } = cloud;
    for (role, _) in &grants {
        document.users.push(role, UserEntry { roles: vec![role.clone()], ..UserEntry::default() });
    }
    let engine = Engine::new(&Policy::try_from(document).expect("a valid policy"));
    let permission = |path: &String| engine.permission(path).expect("a known permission");
    let permissions: Vec<Permission> = paths.iter().map(permission).collect();
    for (role, granted) in &grants {
        let user = engine.user(role).expect("a known user");
        let mut expected = vec![false; paths.len()];
        granted.iter().for_each(|&at| expected[at] = true);
        for ((&permission, expected), path) in permissions.iter().zip(expected).zip(&paths) {
            assert_eq!(engine.can(user, permission, ()), expected, "{role}: {path}");
        }
    }
}

#[test]
fn google_clouds_roles_grant_what_their_table_says() {
    if let Some(google) = real::google() {
        check(google.cloud());
    }
}

#[test]
fn azures_roles_grant_what_their_patterns_say() {
    let Some(azure) = real::azure() else {
        return;
    };
    let names: Vec<String> = azure.permissions.iter().map(|name| name.to_lowercase()).collect();
    for (role, rules) in &azure.roles {
        let mut permitted = BTreeSet::new();
        for (root, actions, not_actions) in rules.blocks.iter().flat_map(Block::parts) {
            let spell = |patterns: &[String]| -> Vec<String> {
                patterns.iter().map(|pattern| spelled(root, pattern)).collect()
            };
            let (actions, not_actions) = (spell(actions), spell(not_actions));
            let any = |patterns: &[String], name: &str| patterns.iter().any(|it| covers(it, name));
            let permits = |name: &String| any(&actions, name) && !any(&not_actions, name);
            permitted.extend((0..names.len()).filter(|&at| permits(&names[at])));
        }
        assert!(permitted.iter().eq(&rules.permits), "{role}");
    }
    check(azure.cloud());
}
