//! What is reported about documents that break the format, word for word.
//!
//! The places of problems are in `tests/corpus/refusals/` too; here it is their
//! messages.

use std::collections::BTreeSet;

use grantree::change::{Actor, Change};
use grantree::document::PermissionNode;
use grantree::problem::{Problem, ProblemKind, Problems};
use grantree::{Document, Policy};

/// A document, apart from its format, and its problems, one a line.
type Case = (&'static str, &'static str);

const CASES: &[Case] = &[
    // Shape.
    (
        r#""catalogue": {"permisions": [], "x": 1}, "user": {}, "profiles": {"p": {"alow": [], "includes": []}}"#,
        r#"catalogue.permisions: unknown field `permisions`; did you mean `permissions`?
         catalogue.x: unknown field `x`
         user: unknown field `user`; did you mean `users`?
         profiles.p.alow: unknown field `alow`; did you mean `allow`?
         profiles.p.includes: unknown field `includes`"#,
    ),
    (
        r#""governance": {"separation": [{"name": "s"}]}"#,
        r#"governance.separation[0].permissions: required field is missing
         governance.separation[0].at_most: required field is missing
         catalogue: required field is missing"#,
    ),
    (
        r#""catalogue": [], "licence": "pro", "global": null, "users": 3, "roles": true"#,
        r#"catalogue: expected a catalogue, found a list
         licence: expected a licence, found the text `pro`
         global: expected statements, found null
         users: expected a map, found 3
         roles: expected a map, found true"#,
    ),
    (
        r#""catalogue": {}, "users": {"u": {"roles": "r", "admin": "yes", "label": null, "profile": ["p"], "suspended": 0.5}}"#,
        r#"users.u.roles: expected a list, found the text `r`
         users.u.admin: expected true or false, found the text `yes`
         users.u.label: expected a text, found null
         users.u.profile: expected a name or null, found a list
         users.u.suspended: expected true or false, found 0.5"#,
    ),
    (
        r#""catalogue": {}, "governance": {"separation": [{"name": "s", "permissions": [], "at_most": -1}]}"#,
        r#"governance.separation[0].at_most: expected a number from 0 to 4294967295, found -1"#,
    ),
    (
        r#""catalogue": {"settings": {"s": {"values": [null, 1.0, {}, 9223372036854775808]}}}"#,
        r#"catalogue.settings.s.values[0]: expected a text, an integer, true or false, found null
         catalogue.settings.s.values[1]: expected a text, an integer, true or false, found 1.0
         catalogue.settings.s.values[2]: expected a text, an integer, true or false, found a map
         catalogue.settings.s.values[3]: expected a text, an integer, true or false, found 9223372036854775808, which exceeds a signed 64-bit integer"#,
    ),
    // Duplicates.
    (
        r#""catalogue": {}, "catalogue": {}, "roles": {"r": {"label": "R", "label": "R"}, "r": {}}"#,
        r#"catalogue: duplicate name `catalogue`
         roles.r.label: duplicate name `label`
         roles.r: duplicate name `r`"#,
    ),
    (
        r#""catalogue": {"permissions": [{"key": "a"}, {"key": "a"}, {"key": "g", "levels": ["none", "none"]}]}"#,
        r#"catalogue.permissions[1].key: duplicate name `a`
         catalogue.permissions[2].levels[1]: duplicate name `none`"#,
    ),
    // Names.
    (
        r#""catalogue": {"permissions": [{"key": "a b"}]}, "roles": {"c.\td": {}}, "users": {"": {"groups": [""]}}"#,
        r#"catalogue.permissions[0].key: `a b` is not a name; expected letters, digits, `_` and `-`
         roles["c.\td"]: `c.\td` is not a name; expected a text that is not empty, without control characters
         users[""]: `` is not a name; expected a text that is not empty, without control characters
         users[""].groups[0]: `` is not a name; expected a text that is not empty, without control characters"#,
    ),
    (
        r#""catalogue": {"objects": {"job": {"relations": {"r": "usr"}, "attributes": {"x": "at_mots"}}}}"#,
        r#"catalogue.objects.job.relations.r: unknown relation type `usr`; did you mean `user`?
         catalogue.objects.job.attributes.x: unknown bound type `at_mots`; did you mean `at_most`?"#,
    ),
    (
        r#""catalogue": {"objects": {"job": {"relations": {"assignee": "user"}, "attributes": {"region": "one_of"}, "checks": ["regoin"]}},
            "permissions": [{"key": "a", "object": "jbo", "scopes": [{"key": "s", "when": {"assigne": "me"}}]},
                {"key": "b", "object": "job", "checks": ["size"], "scopes": [{"key": "s", "when": {"assigne": "me"}}, {"key": "t", "when": {"assignee": "you"}}]}]}"#,
        r#"catalogue.objects.job.checks[0]: unknown attribute `regoin`; did you mean `region`?
         catalogue.permissions[0].object: unknown object kind `jbo`; did you mean `job`?
         catalogue.permissions[1].checks[0]: unknown attribute `size`
         catalogue.permissions[1].scopes[0].when.assigne: unknown relation or attribute `assigne`; did you mean `assignee`?
         catalogue.permissions[1].scopes[1].when.assignee: unknown relation state `you`; expected `me`, `other` or `none`"#,
    ),
    (
        r#""catalogue": {"objects": {"job": {"relations": {"r": "user"}, "attributes": {"one": "one_of", "most": "at_most", "from": "not_before", "flag": "flag"}}},
            "permissions": [{"key": "a", "object": "job", "scopes": [{"key": "s", "when": {"r": [], "one": "any", "most": true, "from": {"plus_days": 3}, "flag": 1}},
                {"key": "t", "when": {"r": 3, "one": [true, "x"], "most": 1.5, "fro": 3, "flag": []}}]}]}"#,
        r#"catalogue.permissions[0].scopes[0].when.from: expected a date as {"date"}, found a date relative to today
         catalogue.permissions[0].scopes[1].when.one: expected a list of texts, or [true, false], found another list
         catalogue.permissions[0].scopes[1].when.most: expected a relation state, a list of states or texts, an integer, a date as {"date"}, true, false or [true, false], found 1.5
         catalogue.permissions[0].scopes[0].when.r: expected one state or text, or more, found an empty list
         catalogue.permissions[0].scopes[0].when.one: `job.one` takes a list of texts; found a text
         catalogue.permissions[0].scopes[0].when.most: `job.most` takes an integer; found true, false or [true, false]
         catalogue.permissions[0].scopes[0].when.flag: `job.flag` takes true, false or [true, false]; found an integer
         catalogue.permissions[0].scopes[1].when.r: expected a relation state or a list of them, found an integer
         catalogue.permissions[0].scopes[1].when.fro: unknown relation or attribute `fro`; did you mean `from`?
         catalogue.permissions[0].scopes[1].when.flag: expected one state or text, or more, found an empty list"#,
    ),
    (
        r#""catalogue": {"permissions": [{"key": "jobs", "children": [{"key": "edit"}, {"key": "view", "requires": ["jobs.edti"], "implies": ["nothing.like.it"]}]}]},
           "roles": {"r": {"allow": ["job"], "deny": ["jobs.veiw.**"], "forbid": ["Jobs.*"], "bounds": {"job.x": 1}, "settings": {"s": 1}}}"#,
        r#"catalogue.permissions[0].children[1].requires[0]: unknown permission `jobs.edti`; did you mean `jobs.edit`?
         catalogue.permissions[0].children[1].implies[0]: unknown permission `nothing.like.it`
         roles.r.allow[0]: unknown permission `job`; did you mean `jobs`?
         roles.r.deny[0]: unknown permission `jobs.veiw`; did you mean `jobs.view`?
         roles.r.forbid[0]: unknown permission `Jobs`; did you mean `jobs`?
         roles.r.bounds.job.x: unknown attribute `job.x`
         roles.r.settings.s: unknown setting `s`"#,
    ),
    (
        r#""catalogue": {"settings": {"slot": {}}, "editions": {"business": {"includes": ["busines"], "features": []}}},
           "licence": {"edition": "bussiness"}, "default_profile": "planer", "profiles": {"planner": {"assignable_by": ["leed"]}},
           "roles": {"lead": {"includes": ["leda"], "demoted_to": "laed"}}, "approval_groups": {"buyers": {"settings": {"solt": 1}}},
           "users": {"u": {"profile": "plannr", "roles": ["lea"], "approval_groups": ["buyer"]}},
           "governance": {"permissions": {"assign_roles": [], "create_user": []}}"#,
        r#"catalogue.editions.business.includes[0]: unknown edition `busines`; did you mean `business`?
         licence.edition: unknown edition `bussiness`; did you mean `business`?
         default_profile: unknown profile `planer`; did you mean `planner`?
         roles.lead.includes[0]: unknown role `leda`; did you mean `lead`?
         users.u.profile: unknown profile `plannr`; did you mean `planner`?
         users.u.roles[0]: unknown role `lea`; did you mean `lead`?
         users.u.approval_groups[0]: unknown approval group `buyer`; did you mean `buyers`?
         governance.permissions.assign_roles: unknown kind of change `assign_roles`; did you mean `assign_role`?
         governance.permissions.create_user: unknown kind of change `create_user`; did you mean `rename_user`?
         profiles.planner.assignable_by[0]: unknown role `leed`; did you mean `lead`?
         roles.lead.demoted_to: unknown role `laed`; did you mean `lead`?
         approval_groups.buyers.settings.solt: unknown setting `solt`; did you mean `slot`?"#,
    ),
    // Headings, scopes and levels.
    (
        r#""catalogue": {"permissions": [{"key": "h", "heading": true, "requires": ["a"], "children": [{"key": "b"}]}, {"key": "a", "requires": ["h"]}]}, "global": {"allow": ["h"]}"#,
        r#"catalogue.permissions[0].requires: a heading only groups, and may carry a feature
         catalogue.permissions[1].requires[0]: `h` is a heading, not a permission; `h.**` matches the permissions below it
         global.allow[0]: `h` is a heading, not a permission; `h.**` matches the permissions below it"#,
    ),
    (
        r#""catalogue": {"objects": {"job": {}}, "permissions": [{"key": "a", "object": "job", "scopes": [{"key": "s", "when": {}}]}, {"key": "b", "implies": ["a"], "scopes": [{"key": "s", "when": {}}]},
            {"key": "c", "object": "job", "levels": ["none", "all"], "scopes": [{"key": "s", "when": {}}]}, {"key": "d", "levels": ["none"]}]}"#,
        r#"catalogue.permissions[1].implies[0]: `a` is granted through its scopes and can't be implied; imply one of its scopes
         catalogue.permissions[1].scopes: scopes need an object kind, the permission's own or its gate parent's
         catalogue.permissions[2].scopes: a graded permission can't have scopes
         catalogue.permissions[3].levels: expected two levels or more, found 1"#,
    ),
    (
        r#""catalogue": {"permissions": [{"key": "g", "levels": ["hidden", "read_only", "read_write"]}, {"key": "a", "requires": ["g:hidden", "g:readonly", "g:all", "a:all"]}, {"key": "h", "levels": ["read_only", "hidden"]}]},
           "users": {"u": {"levels": {"g": "readonly", "**": "all", "a": "hidden", "g:read_only": "read_only"}}}"#,
        r#"catalogue.permissions[1].requires[0]: `g:hidden` names the lowest level, which means nothing granted; expected a higher one
         catalogue.permissions[1].requires[1]: unknown level `g:readonly`; did you mean `g:read_only`?
         catalogue.permissions[1].requires[2]: unknown level `g:all`; expected `g:read_only` or `g:read_write`
         catalogue.permissions[1].requires[3]: unknown level `a:all`
         users.u.levels.g: no permission matched by `g` has a level `readonly`; did you mean `read_only`?
         users.u.levels.**: no permission matched by `**` has a level `all`; expected `hidden`, `read_only` or `read_write`
         users.u.levels.a: no permission matched by `a` has a level `hidden`
         users.u.levels.g:read_only: a level must be stated in `levels`, not with the path"#,
    ),
    // Patterns.
    (
        r#""catalogue": {"permissions": [{"key": "a"}]}, "global": {"allow": ["a.*", "*.a", "a*"], "levels": {"a.*": "none"}}"#,
        r#"global.allow[0]: pattern `a.*` matches no permission that can be granted
         global.allow[1]: unknown permission `*.a`
         global.allow[2]: unknown permission `a*`; did you mean `a`?
         global.levels.a.*: pattern `a.*` matches no permission that can be granted"#,
    ),
    // Bounds and settings.
    (
        r#""catalogue": {"objects": {"k": {"attributes": {"one": "one_of", "most": "at_most", "least": "at_least", "from": "not_before", "until": "not_after"}}}},
           "global": {"bounds": {"k.one": 3, "k.most": ["3"], "k.least": {"plus_days": 3}, "k.from": 3, "k.until": ["x"]}}"#,
        r#"global.bounds.k.one: `k.one` takes a list of texts, or "any"; found an integer
         global.bounds.k.most: `k.most` takes an integer, or "any"; found a list of texts
         global.bounds.k.least: `k.least` takes an integer, or "any"; found a date
         global.bounds.k.from: `k.from` takes a date, or "any"; found an integer
         global.bounds.k.until: `k.until` takes a date, or "any"; found a list of texts"#,
    ),
    (
        r#""catalogue": {"objects": {"k": {"attributes": {"one": "one_of", "from": "not_before"}}}},
           "global": {"bounds": {"k.one": "north", "k.from": "2026-11-21"}}, "users": {"u": {"bounds": {"k.one": null, "k.from": {"next": "firday"}}}}"#,
        r#"global.bounds.k.one: expected a bound: "any", a list of texts, an integer, true, false or [true, false], or a date as {"date"}, {"plus_days"} or {"next", "plus_days"}, found `north`
         global.bounds.k.from: expected a bound: "any", a list of texts, an integer, true, false or [true, false], or a date as {"date"}, {"plus_days"} or {"next", "plus_days"}, found `2026-11-21`
         users.u.bounds.k.one: expected a bound: "any", a list of texts, an integer, true, false or [true, false], or a date as {"date"}, {"plus_days"} or {"next", "plus_days"}, found null
         users.u.bounds.k.from: unknown weekday `firday`; did you mean `friday`?"#,
    ),
    (
        r#""catalogue": {"settings": {"slot": {"values": ["am", 3, true], "default": "pm"}, "never": {"values": []}}}, "global": {"settings": {"slot": "AM", "never": 1}}"#,
        r#"catalogue.settings.slot.default: setting `slot` does not accept `"pm"`; it accepts `"am"`, `3`, `true`
         global.settings.slot: setting `slot` does not accept `"AM"`; it accepts `"am"`, `3`, `true`
         global.settings.never: setting `never` does not accept `1`"#,
    ),
    // Cycles.
    (
        r#""catalogue": {"editions": {"x": {"includes": ["y"], "features": []}, "y": {"includes": ["x"], "features": []}},
              "permissions": [{"key": "a", "requires": ["b.h.c"]}, {"key": "b", "requires": ["a"], "children": [{"key": "h", "heading": true, "children": [{"key": "c"}]}]}]},
           "roles": {"r": {"includes": ["r"]}}, "groups": {"uk": {"parent": "leeds"}, "leeds": {"parent": "uk"}}"#,
        r#"catalogue.editions.y.includes[0]: a cycle of editions: `x` > `y` > `x`
         catalogue.permissions[1].requires[0]: a cycle of requirements and gate parents: `a` > `b.h.c` > `b` > `a`
         roles.r.includes[0]: a cycle of roles: `r` > `r`
         groups.leeds.parent: a cycle of groups: `uk` > `leeds` > `uk`"#,
    ),
    // Through a scope, which requires what its node does: stated at the node.
    (
        r#""catalogue": {"objects": {"job": {}}, "permissions": [
            {"key": "a", "requires": ["jobs.own"]},
            {"key": "jobs", "object": "job", "requires": ["b", "c"], "scopes": [{"key": "own", "when": {}, "requires": ["c"]}]},
            {"key": "b", "requires": ["jobs"]},
            {"key": "c"}]}"#,
        r#"catalogue.permissions[2].requires[0]: a cycle of requirements and gate parents: `jobs.own` > `b` > `jobs` > `jobs.own`"#,
    ),
    (
        r#""catalogue": {"objects": {"job": {}}, "permissions": [
            {"key": "b", "requires": ["jobs.own"]},
            {"key": "c"},
            {"key": "jobs", "object": "job", "requires": ["c", "b"], "scopes": [{"key": "own", "when": {}, "requires": ["c"]}]}]}"#,
        r#"catalogue.permissions[2].requires[1]: a cycle of requirements and gate parents: `b` > `jobs.own` > `b`"#,
    ),
    // Objects, former paths, fences and governance.
    (
        r#""catalogue": {"objects": {
             "a": {"relations": {"self": "user", "group": "group"}, "stands_for": "users"},
             "b": {"relations": {"self": "group", "team": "group"}, "attributes": {"team": "one_of"}, "stands_for": "users"},
             "c": {"stands_for": "user"}}}"#,
        r#"catalogue.objects.c.stands_for: unknown subject of governance `user`; did you mean `users`?
         catalogue.objects.b.attributes.team: duplicate name `team`
         catalogue.objects.b.stands_for: `a` already stands for the users
         catalogue.objects.b.relations.self: a kind that stands for users has no relations but `self`, to a user, and `group`, to groups, and no attributes
         catalogue.objects.b.relations.team: a kind that stands for users has no relations but `self`, to a user, and `group`, to groups, and no attributes
         catalogue.objects.b.relations.group: required field is missing
         catalogue.objects.b.attributes.team: a kind that stands for users has no relations but `self`, to a user, and `group`, to groups, and no attributes"#,
    ),
    (
        r#""catalogue": {"permissions": [{"key": "a", "was": ["b", "c.*"]}, {"key": "b"}, {"key": "h", "heading": true, "was": ["d"]}]}"#,
        r#"catalogue.permissions[0].was[0]: `b` is a path of this catalogue, so it is no former one
         catalogue.permissions[0].was[1]: `c.*` is not a name; expected keys joined by dots
         catalogue.permissions[2].was: a heading only groups, and may carry a feature"#,
    ),
    (
        r#""catalogue": {"permissions": [{"key": "a"}], "objects": {"k": {"attributes": {"from": "not_before"}}}},
           "global": {"bounds": {"k.from": {"plus_days": 100001}}},
           "governance": {"permissions": {"import": []}, "escalate": ["b"], "bind": ["a:x"]}"#,
        r#"global.bounds.k.from: `plus_days` is more than 100000 days before or after
         governance.escalate[0]: unknown permission `b`; did you mean `a`?
         governance.bind[0]: unknown level `a:x`
         governance.permissions.import: an empty list names no permission; a kind that is left out is for admins"#,
    ),
    // Unique roles.
    (
        r#""catalogue": {}, "roles": {"owner": {"unique": true}, "lead": {"includes": ["owner"]}}, "users": {"alice": {"roles": ["owner"]}, "bob": {"roles": ["owner"]}}"#,
        r#"roles.lead.includes[0]: `owner` is unique, and can't be included
         users.bob.roles[0]: `owner` is unique, and `alice` already has it"#,
    ),
    // A source of another kind has the name.
    (
        r#""catalogue": {}, "roles": {"clerk": {}}, "approval_groups": {"buyers": {}},
           "users": {"ann": {"profile": "clerk", "roles": ["buyers"]}}"#,
        r#"users.ann.profile: unknown profile `clerk`; there is a role `clerk`
         users.ann.roles[0]: unknown role `buyers`; there is an approval group `buyers`"#,
    ),
];

fn problems(document: &str) -> Problems {
    let text = format!("{{\"format\": 1, {document}}}");
    let document: Document =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
    match Policy::try_from(document) {
        Ok(_) => panic!("no problem in {text}"),
        Err(problems) => problems,
    }
}

/// The problems of all cases.
fn all() -> Vec<Problem> {
    CASES
        .iter()
        .flat_map(|(document, _)| problems(document).iter().cloned().collect::<Vec<_>>())
        .collect()
}

#[track_caller]
fn check(document: &str, messages: &str) {
    let expected: Vec<&str> = messages.lines().map(str::trim).collect();
    let problems = problems(document).to_string();
    let told: Vec<&str> = problems.lines().collect();
    assert!(
        told == expected,
        "{document}\nis told\n{problems}\ninstead of\n{}",
        expected.join("\n")
    );
}

#[test]
fn problems_are_told_in_these_words() {
    for (document, messages) in CASES {
        check(document, messages);
    }
}

#[test]
fn refused_changes_are_told_in_these_words() {
    let document = r#"{"format": 1,
        "catalogue": {
            "permissions": [{"key": "jobs", "levels": ["none", "view", "edit"]}, {"key": "menu", "heading": true, "children": [{"key": "open"}]}],
            "objects": {"job": {"attributes": {"size": "at_most"}}},
            "settings": {"slot": {"values": ["am", "pm"]}}, "editions": {"small": {"features": []}}},
        "profiles": {"planner": {}}, "roles": {"clerk": {}}, "approval_groups": {"buyers": {}},
        "groups": {"leeds": {}}, "users": {"bob": {}},
        "governance": {"permissions": {"set_licence": ["jobs:edit", "menu.open"]}}}"#;
    let document: Document = serde_json::from_str(document).expect("a document");
    let policy = Policy::try_from(document).expect("a valid policy");
    let edit =
        |op: &str| format!(r#"{{"edit": {{"source": {{"role": "clerk"}}, "ops": [{op}]}}}}"#);
    let edit_bob = |set: &str| {
        format!(r#"{{"edit": {{"source": {{"user": "bob"}}, "ops": [{{"set": {{{set}}}}}]}}}}"#)
    };
    let import = |bundle: &str| format!(r#"{{"import": {{"bundle": {{{bundle}}}}}}}"#);
    const TWICE: &str = "invalid: a name occurs twice in the bundle";
    const NO_SUCH_FIELDS: &str = "invalid: a user has no `template`, `includes` or `assignable_by`";
    for (by, change, message) in [
        (
            Actor::Host,
            edit(r#"{"allow": "jbos"}"#),
            "unknown: unknown permission `jbos`; did you mean `jobs`?",
        ),
        (
            Actor::Host,
            edit(r#"{"allow": "menu"}"#),
            "invalid: `menu` is a heading, not a permission; `menu.**` matches the permissions below it",
        ),
        (Actor::Host, edit(r#"{"allow": "a b"}"#), "invalid: `a b` is not a pattern"),
        (
            Actor::Host,
            edit(r#"{"level": {"path": "jobs", "level": "veiw"}}"#),
            "invalid: no permission matched by `jobs` has a level `veiw`; did you mean `view`?",
        ),
        (
            Actor::Host,
            edit(r#"{"level": {"path": "**", "level": "all"}}"#),
            "invalid: no permission matched by `**` has a level `all`; expected `none`, `view` or `edit`",
        ),
        (
            Actor::Host,
            edit(r#"{"bound": {"attribute": "job.sise", "bound": 1}}"#),
            "unknown: unknown attribute `job.sise`; did you mean `job.size`?",
        ),
        (
            Actor::Host,
            edit(r#"{"bound": {"attribute": "job.size", "bound": ["s"]}}"#),
            "invalid: `job.size` takes an integer, or \"any\"; found a list of texts",
        ),
        (
            Actor::Host,
            edit(r#"{"setting": {"setting": "solt", "value": "am"}}"#),
            "unknown: unknown setting `solt`; did you mean `slot`?",
        ),
        (
            Actor::Host,
            edit(r#"{"setting": {"setting": "slot", "value": 1}}"#),
            r#"invalid: setting `slot` does not accept `1`; it accepts `"am"`, `"pm"`"#,
        ),
        (
            Actor::Host,
            r#"{"assign": {"user": "bob", "source": {"profile": "plannr"}}}"#.into(),
            "unknown: unknown profile `plannr`; did you mean `planner`?",
        ),
        (
            Actor::Host,
            r#"{"assign": {"user": "bob", "source": {"role": "clark"}}}"#.into(),
            "unknown: unknown role `clark`; did you mean `clerk`?",
        ),
        (
            Actor::Host,
            r#"{"assign": {"user": "bob", "source": {"approval_group": "byers"}}}"#.into(),
            "unknown: unknown approval group `byers`; did you mean `buyers`?",
        ),
        // For users, no other name is suggested.
        (Actor::Host, r#"{"remove_user": {"user": "bbo"}}"#.into(), "unknown: unknown user `bbo`"),
        (
            Actor::Host,
            r#"{"set_group": {"group": "north", "parent": ""}}"#.into(),
            "invalid: a name can't be empty",
        ),
        (
            Actor::Host,
            r#"{"set_licence": {"edition": "smal"}}"#.into(),
            "unknown: unknown edition `smal`; did you mean `small`?",
        ),
        // Data may have duplicates that no policy's document has.
        (Actor::Host, import(r#""profiles": {"a": {}, "a": {}}"#), TWICE),
        (Actor::Host, import(r#""roles": {"a": {}, "a": {}}"#), TWICE),
        (Actor::Host, import(r#""approval_groups": {"a": {}, "a": {}}"#), TWICE),
        (
            Actor::Host,
            import(r#""roles": {"a": {"levels": {"jobs": "view", "jobs": "edit"}}}"#),
            "invalid: roles.a.levels.jobs: duplicate name `jobs`",
        ),
        (
            Actor::Host,
            import(r#""roles": {"a": {"bounds": {"job.size": 1, "job.size": 2}}}"#),
            "invalid: roles.a.bounds.job.size: duplicate name `job.size`",
        ),
        (
            Actor::Host,
            import(r#""roles": {"a": {"settings": {"slot": "am", "slot": "pm"}}}"#),
            "invalid: roles.a.settings.slot: duplicate name `slot`",
        ),
        (Actor::Host, edit_bob(r#""template": true"#), NO_SUCH_FIELDS),
        (Actor::Host, edit_bob(r#""includes": []"#), NO_SUCH_FIELDS),
        (Actor::Host, edit_bob(r#""assignable_by": []"#), NO_SUCH_FIELDS),
        (
            Actor::User("bob"),
            r#"{"set_licence": {}}"#.into(),
            "not_permitted: `bob` may not `set_licence`: it requires `jobs:edit`, `menu.open`",
        ),
        (
            Actor::User("bob"),
            r#"{"remove_user": {"user": "bob"}}"#.into(),
            "not_permitted: `bob` may not `remove_user`: only admins may",
        ),
    ] {
        let parsed: Change = serde_json::from_str(&change).expect(&change);
        let refusal = policy.apply(by, &parsed).expect_err(&change);
        assert_eq!(refusal.to_string(), message, "{change}");
    }
}

/// Of many who would gain alike, one is named; or else whoever comes next.
#[test]
fn who_would_gain_is_named() {
    let document = r#"{"format": 1,
        "catalogue": {
            "objects": {"job": {"attributes": {"amount": "at_most"}}},
            "permissions": [{"key": "edit"}, {"key": "ask"}, {"key": "approve"},
                {"key": "title", "levels": ["hidden", "read", "write"]}]},
        "default_profile": "newcomer",
        "profiles": {"newcomer": {}},
        "roles": {"clerk": {}, "both": {"allow": ["ask", "approve"]}},
        "users": {"ann": {"roles": ["clerk"]}, "bob": {"allow": ["edit"], "levels": {"title": "read"}, "bounds": {"job.amount": 500}},
            "cat": {}},
        "governance": {
            "no_escalation": true,
            "permissions": {"edit_role": ["edit"], "edit_profile": ["edit"]},
            "separation": [{"name": "four-eyes", "permissions": ["ask", "approve"], "at_most": 1}]}}"#;
    let document: Document = serde_json::from_str(document).expect("a document");
    let policy = Policy::try_from(document).expect("a valid policy");
    for (by, change, message) in [
        (
            Actor::Host,
            r#"{"assign": {"user": "cat", "source": {"role": "both"}}}"#,
            "separation: `cat` would hold 2 of the permissions that separation `four-eyes` keeps apart",
        ),
        (
            Actor::Host,
            r#"{"edit": {"source": {"role": "clerk"}, "ops": [{"allow": "**"}]}}"#,
            "separation: `ann` would hold 2 of the permissions that separation `four-eyes` keeps apart",
        ),
        (
            Actor::User("bob"),
            r#"{"edit": {"source": {"role": "clerk"}, "ops": [{"allow": "ask"}]}}"#,
            "escalation: this would let whoever has role `clerk` do more with `ask` than `bob`, who has none of it",
        ),
        (
            Actor::User("bob"),
            r#"{"edit": {"source": {"profile": "newcomer"}, "ops": [{"allow": "ask"}]}}"#,
            "escalation: this would let whoever has profile `newcomer` do more with `ask` than `bob`, who has none of it",
        ),
        (
            Actor::User("bob"),
            r#"{"edit": {"source": {"role": "clerk"}, "ops": [{"level": {"path": "title", "level": "write"}}]}}"#,
            "escalation: this would let whoever has role `clerk` do more with `title` than `bob`, who has it up to `read`",
        ),
        (
            Actor::User("bob"),
            r#"{"edit": {"source": {"role": "clerk"}, "ops": [{"bound": {"attribute": "job.amount", "bound": 501}}]}}"#,
            "escalation: this would let whoever has role `clerk` pass more of `job.amount` than `bob`, who passes at most 500",
        ),
    ] {
        let parsed: Change = serde_json::from_str(change).expect(change);
        let refusal = policy.apply(by, &parsed).expect_err(change);
        assert_eq!(refusal.to_string(), message, "{change}");
    }
}

#[test]
fn a_record_of_a_change_is_a_map() {
    let edit = r#"{"edit": {"source": "global", "ops": [{"set": []}]}}"#;
    let error = serde_json::from_str::<Change>(edit).unwrap_err().to_string();
    assert!(error.starts_with("invalid type: sequence, expected a map"), "{error}");
}

#[test]
fn what_is_no_policy_document_is_told_so() {
    for (text, message) in [
        ("[]", "expected a policy document, found a list"),
        ("null", "expected a policy document, found null"),
        ("1", "expected a policy document, found 1"),
        ("{}", "format: required field is missing\ncatalogue: required field is missing"),
        (r#"{"format": 2, "catalogue": {}}"#, "format: expected the format's version, 1, found 2"),
    ] {
        let document: Document = serde_json::from_str(text).expect("JSON");
        assert_eq!(Policy::try_from(document).expect_err(text).to_string(), message, "{text}");
    }
}

#[test]
fn a_document_built_too_deep_is_told_so() {
    let mut permission = PermissionNode { key: "a".into(), ..PermissionNode::default() };
    // Deeper than a stack, if each level took some of it.
    for _ in 0..100_000 {
        permission = PermissionNode {
            key: "a".into(),
            children: vec![permission],
            ..PermissionNode::default()
        };
    }
    let mut document = Document::default();
    document.catalogue.permissions = vec![permission];
    let problems = Policy::try_from(document).expect_err("it is too deep");
    let place = format!("catalogue.permissions{}", "[0].children".repeat(66));
    assert_eq!(problems.to_string(), format!("{place}: nested too deep: the limit is 66"));
}

/// Messages about limits; documents that exceed them are in `hostile`.
#[test]
fn too_many_and_too_long_are_told_so() {
    let kind = ProblemKind::TooMany { what: "users", limit: 2_147_483_648 };
    assert_eq!(kind.to_string(), "too many users: the limit is 2147483648");
    assert_eq!(
        ProblemKind::TooLong { limit: 4096 }.to_string(),
        "too long: the limit is 4096 bytes"
    );
}

/// A new kind of problem needs a case here.
#[test]
fn every_kind_of_problem_has_a_case() {
    let source = include_str!("../../src/problem/kind.rs");
    let (_, after) = source.split_once("pub enum ProblemKind {\n").expect("the kinds of problem");
    let (body, _) = after.split_once("\n}\n").expect("its end");
    let variants: BTreeSet<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(char::is_uppercase))
        .map(|line| line.trim_end_matches([' ', '{', ',']))
        .collect();
    assert!(variants.len() >= 19, "{variants:?}");

    let told = all();
    let mut cases: BTreeSet<&str> = ["TooDeep", "TooLong", "TooMany"].into();
    let debug: Vec<String> = told.iter().map(|problem| format!("{:?}", problem.kind())).collect();
    cases.extend(debug.iter().filter_map(|kind| kind.split([' ', '{']).next()));
    assert_eq!(cases, variants);
}

/// Lower case, no full stop, one line, input in backticks, nothing of Rust's.
#[test]
fn messages_keep_the_house_rules() {
    for problem in all() {
        let message = problem.kind().to_string();
        // Outside quoted input.
        let (mut own, mut quoted) = (String::new(), false);
        for part in message.split('`') {
            own.push_str(if quoted { "…" } else { part });
            quoted = !quoted;
        }
        let own = own.replace("YYYY-MM-DD", "…");
        let bad = ["Vec", "Option", "String", "&str", "u32", "i64", "bool", "struct", "::", "\\"];
        assert!(quoted, "{message}: a backtick is open");
        assert!(!own.contains(char::is_uppercase), "{message}: not in lower case");
        assert!(!message.ends_with(['.', '!', ':', ' ']), "{message}: ends like a sentence");
        assert!(!problem.to_string().contains('\n'), "{message}: on several lines");
        assert!(!bad.iter().any(|word| own.contains(word)), "{message}: is about Rust");
    }
}

/// A message is on one line, even if the names in it are not.
#[test]
fn a_problem_is_one_line_whatever_the_names_are() {
    let document = r#""catalogue": {"permissions": [{"key": "a\nb", "requires": ["c\r\nd"]}]}, "roles": {"e\nf": {"includes": ["g\u2028\u0000h"]}}"#;
    let problems = problems(document);
    assert_eq!(problems.to_string().lines().count(), problems.iter().count(), "{problems}");
    assert_eq!(problems.iter().count(), 4, "{problems}");
}

/// What is wrong at one place is reported once, and not again for its consequences.
#[test]
fn a_mistake_is_told_once() {
    check(
        r#""catalogue": {"permissions": [{"label": "A"}, {"label": "B"}]}"#,
        "catalogue.permissions[0].key: required field is missing
         catalogue.permissions[1].key: required field is missing",
    );
    check(
        r#""catalogue": {"permissions": ["a", {"key": 1}]}"#,
        "catalogue.permissions[0]: expected a permission, found the text `a`
         catalogue.permissions[1].key: expected a text, found 1",
    );
    check(
        r#""catalogue": {"permissions": [{"key": "a", "requires": [null]}]}, "global": {"allow": [1]}, "users": {"u": {"roles": [["r"]], "groups": [2]}}"#,
        "catalogue.permissions[0].requires[0]: expected a text, found null
         global.allow[0]: expected a text, found 1
         users.u.roles[0]: expected a text, found a list
         users.u.groups[0]: expected a text, found 2",
    );
}

/// What refers to a declaration that is wrong is not wrong besides.
#[test]
fn what_a_mistake_leads_to_is_not_told() {
    check(
        r#""catalogue": {
            "objects": {"job": {"relations": {"own": "users"}, "attributes": {"n": "most"}, "checks": ["n"]}},
            "permissions": [
                {"key": "a", "object": "job", "checks": ["n"], "scopes": [{"key": "s", "when": {"own": "me"}}]},
                {"key": "g", "levels": ["x"]}]},
           "global": {"bounds": {"job.n": 5, "job.m": 5}, "levels": {"g": "x", "a": "x"}}"#,
        "catalogue.objects.job.relations.own: unknown relation type `users`; did you mean `user`?
         catalogue.objects.job.attributes.n: unknown bound type `most`; expected `one_of`, `at_most`, `at_least`, `not_before`, `not_after` or `flag`
         catalogue.permissions[1].levels: expected two levels or more, found 1
         global.levels.a: no permission matched by `a` has a level `x`
         global.bounds.job.m: unknown attribute `job.m`; did you mean `job.n`?",
    );
    check(
        r#""catalogue": {"settings": 1, "editions": 1, "permissions": [{"key": "a"}]},
           "licence": {"edition": "pro"}, "global": {"settings": {"s": 1}, "allow": ["b"]},
           "profiles": 1, "default_profile": "p", "roles": null, "approval_groups": [],
           "users": {"u": {"profile": "p", "roles": ["r"], "approval_groups": ["a"]}}"#,
        "catalogue.settings: expected a map, found 1
         catalogue.editions: expected a map, found 1
         profiles: expected a map, found 1
         roles: expected a map, found null
         approval_groups: expected a map, found a list
         global.allow[0]: unknown permission `b`; did you mean `a`?",
    );
    check(
        r#""catalogue": {"permissions": 1}, "global": {"allow": ["b"]}"#,
        "catalogue.permissions: expected a list, found 1",
    );
    check(
        r#""catalogue": {"objects": 1, "permissions": [{"key": "a", "object": "k"}, {"key": "g", "levels": []}]},
           "global": {"levels": {"g": "x"}}"#,
        "catalogue.objects: expected a map, found 1
         catalogue.permissions[1].levels: expected two levels or more, found 0
         global.levels.g: no permission matched by `g` has a level `x`",
    );
}

/// A duplicate key is reported, whatever else is wrong with either entry.
#[test]
fn a_second_key_is_told_whatever_its_value() {
    check(r#""catalogue": {"objects": {"k": {"attributes": {"x": "at_most"}}}}, "global": {"bounds": {"k.x": 1, "k.x": null}}"#,
        "global.bounds.k.x: expected a bound: \"any\", a list of texts, an integer, true, false or [true, false], or a date as {\"date\"}, {\"plus_days\"} or {\"next\", \"plus_days\"}, found null
         global.bounds.k.x: duplicate name `k.x`");
    for (document, twice) in [
        (
            r#""catalogue": {}, "global": {"bounds": {"k.x": 1, "k.x": 1}}"#,
            "global.bounds.k.x: duplicate name `k.x`",
        ),
        (
            r#""catalogue": {}, "global": {"settings": {"s": 1, "s": 1}}"#,
            "global.settings.s: duplicate name `s`",
        ),
        (
            r#""catalogue": {}, "global": {"levels": {"g": "x", "g": "x"}}"#,
            "global.levels.g: duplicate name `g`",
        ),
        (
            r#""catalogue": {"objects": {"k": {"relations": {"r": "usr", "r": "user"}}}}"#,
            "catalogue.objects.k.relations.r: duplicate name `r`",
        ),
        (
            r#""catalogue": {"permissions": [{"key": "a", "object": "k", "scopes": [{"key": "s", "when": {"r": "me", "r": "me"}}]}]}"#,
            "catalogue.permissions[0].scopes[0].when.r: duplicate name `r`",
        ),
    ] {
        let told = problems(document).to_string();
        assert!(told.contains(twice), "{document}\nis told\n{told}");
    }
}
