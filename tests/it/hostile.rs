//! Documents that are small but would expand: what is made of them grows with
//! them, not with their square.
//!
//! The clock says little on a busy machine, so allocations are counted, at one size
//! and at twice that.

use std::cell::Cell;
use std::fmt::Write;
use support::by_name::ByName;

use allocation_counter::measure;
use grantree::change::Actor;
use grantree::lint::Code;
use grantree::object::{DynamicObject, Object, RelationState, Subject, Value};
use grantree::problem::{Limits, Problems};
use grantree::{Document, Engine, Policy, SourceName};

fn read(text: &str) -> Result<Policy, Problems> {
    Policy::try_from(serde_json::from_str::<Document>(text).expect("JSON"))
}

fn policy(text: &str) -> Policy {
    read(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The entries of a map or list, numbered.
fn entries(count: usize, entry: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for at in 0..count {
        let comma = if at > 0 { ", " } else { "" };
        write!(text, "{comma}{}", entry(at)).expect("it is a text");
    }
    text
}

fn document(permissions: &str, rest: &str) -> String {
    format!(r#"{{"format": 1, "catalogue": {{"permissions": [{permissions}]}}, {rest}}}"#)
}

fn plain(count: usize) -> String {
    entries(count, |at| format!(r#"{{"key": "p{at}"}}"#))
}

/// Does something at one size and at twice that, and checks that it allocates about
/// twice as much: room that grows by doubling may take a little more.
fn grows_with_its_input(size: usize, of: impl Fn(usize) -> String, act: impl Fn(&str)) {
    let [once, twice] = [size, 2 * size].map(|size| {
        let text = of(size);
        measure(|| act(&text))
    });
    let (times, bytes) = (once.count_total * 5 / 2 + 100, once.bytes_total * 5 / 2 + 100_000);
    assert!(twice.count_total <= times, "{once:?}, then {twice:?}");
    assert!(twice.bytes_total <= bytes, "{once:?}, then {twice:?}");
}

/// Makes a policy and an engine of it, and asks what there is to ask about a
/// user and a permission.
fn ask_all(text: &str, user: &str, action: &str) {
    let policy = policy(text);
    let engine = Engine::new(&policy);
    let (user, action) = (engine.user(user).expect("a user"), engine.permission(action));
    let action = action.expect("a permission");
    let explanation = engine.explain(user, action, ());
    assert_eq!(explanation.allowed(), engine.can(user, action, ()));
    assert!(explanation.to_string().len() < 2 * text.len() + 10_000);
    engine.effective(user);
    assert!(engine.filter(user, action, None).to_string().len() < text.len() + 10_000);
    engine.who_can(action, ());
    engine.who_can_by_source(action, ());
    policy.digest();
    policy.lint();
    policy.export_all();
    let document = Document::from(&policy);
    let adopted = Policy::builder().adopt(document).expect("it fits").policy;
    assert!(engine.diff(&Engine::new(&adopted)).is_empty());
}

#[test]
fn roles_that_include_each_other_in_a_chain() {
    let chain = |count: usize| {
        let roles = entries(count, |at| match at + 1 {
            next if next < count => format!(r#""r{at}": {{"includes": ["r{next}"]}}"#),
            _ => format!(r#""r{at}": {{"allow": ["p"]}}"#),
        });
        document(
            r#"{"key": "p"}"#,
            &format!(r#""roles": {{{roles}}}, "users": {{"u": {{"roles": ["r0"]}}}}"#),
        )
    };
    grows_with_its_input(1_000, chain, |text| ask_all(text, "u", "p"));
}

#[test]
fn roles_that_include_each_other_in_a_lattice() {
    let lattice = |count: usize| {
        let roles = entries(count, |at| {
            let next = at / 2 * 2 + 2;
            match next < count {
                true => format!(r#""r{at}": {{"includes": ["r{next}", "r{}"]}}"#, next + 1),
                false => format!(r#""r{at}": {{"allow": ["p"]}}"#),
            }
        });
        document(
            r#"{"key": "p"}"#,
            &format!(r#""roles": {{{roles}}}, "users": {{"u": {{"roles": ["r0", "r1"]}}}}"#),
        )
    };
    grows_with_its_input(1_000, lattice, |text| ask_all(text, "u", "p"));
}

#[test]
fn a_role_that_includes_all_others() {
    let wide = |count: usize| {
        let all = entries(count, |at| format!(r#""r{at}""#));
        let roles = entries(count, |at| format!(r#""r{at}": {{"allow": ["p"]}}"#));
        document(
            r#"{"key": "p"}"#,
            &format!(
                r#""roles": {{"all": {{"includes": [{all}]}}, {roles}}}, "users": {{"u": {{"roles": ["all"]}}}}"#
            ),
        )
    };
    grows_with_its_input(1_000, wide, |text| ask_all(text, "u", "p"));
}

#[test]
fn patterns_over_permissions() {
    let patterns = |count: usize| {
        let said = entries(count, |at| match at % 4 {
            0 => r#""*""#.to_owned(),
            1 => r#""**""#.to_owned(),
            2 => format!(r#""p{at}""#),
            _ => format!(r#""p{at}.**""#),
        });
        document(
            &plain(2 * count),
            &format!(
                r#""global": {{"allow": [{said}], "except": [{said}], "deny": [{said}]}}, "users": {{"u": {{"allow": [{said}]}}}}"#
            ),
        )
    };
    grows_with_its_input(200, patterns, |text| ask_all(text, "u", "p1"));
}

#[test]
fn users_in_one_group_and_of_one_role() {
    let users = |count: usize| {
        let users = entries(count, |at| format!(r#""u{at}": {{"groups": ["g"], "roles": ["r"]}}"#));
        document(
            r#"{"key": "p"}"#,
            &format!(r#""roles": {{"r": {{"allow": ["p"]}}}}, "users": {{{users}}}"#),
        )
    };
    grows_with_its_input(5_000, users, |text| ask_all(text, "u0", "p"));
}

#[test]
fn a_user_with_many_groups() {
    let groups = |count: usize| {
        let groups = entries(count, |at| format!(r#""g{at}""#));
        document(
            r#"{"key": "p"}"#,
            &format!(r#""users": {{"u": {{"groups": [{groups}], "allow": ["p"]}}}}"#),
        )
    };
    grows_with_its_input(2_000, groups, |text| ask_all(text, "u", "p"));
}

#[test]
fn groups_in_a_deep_tree() {
    let groups = |count: usize| {
        let groups = entries(count, |at| format!(r#""g{at}": {{"parent": "g{}"}}"#, at + 1));
        let users = entries(count, |at| format!(r#""u{at}": {{"groups": ["g{at}"]}}"#));
        document(r#"{"key": "p"}"#, &format!(r#""groups": {{{groups}}}, "users": {{{users}}}"#))
    };
    grows_with_its_input(1_000, groups, |text| ask_all(text, "u0", "p"));
}

#[test]
fn permissions_that_require_each_other_in_a_chain() {
    for word in ["requires", "implies"] {
        let chain = |count: usize| {
            let permissions = entries(count, |at| match at + 1 {
                next if next < count => format!(r#"{{"key": "p{at}", "{word}": ["p{next}"]}}"#),
                _ => format!(r#"{{"key": "p{at}"}}"#),
            });
            document(&permissions, r#""users": {"u": {"allow": ["**"]}, "v": {"allow": ["p0"]}}"#)
        };
        for user in ["u", "v"] {
            grows_with_its_input(2_000, chain, |text| ask_all(text, user, "p0"));
        }
    }
}

#[test]
fn a_permission_that_requires_all_others() {
    for word in ["requires", "implies"] {
        let wide = |count: usize| {
            let all = entries(count, |at| format!(r#""p{at}""#));
            let permissions = plain(count);
            document(
                &format!(r#"{permissions}, {{"key": "all", "{word}": [{all}]}}"#),
                r#""users": {"u": {"allow": ["**"]}, "v": {"allow": ["all"]}}"#,
            )
        };
        for user in ["u", "v"] {
            grows_with_its_input(1_000, wide, |text| ask_all(text, user, "all"));
        }
    }
}

#[test]
fn permissions_that_require_each_other_in_a_lattice() {
    for word in ["requires", "implies"] {
        let lattice = |count: usize| {
            let permissions = entries(count, |at| {
                let next = at / 2 * 2 + 2;
                match next + 1 < count {
                    true => {
                        format!(r#"{{"key": "p{at}", "{word}": ["p{next}", "p{}"]}}"#, next + 1)
                    }
                    false => format!(r#"{{"key": "p{at}"}}"#),
                }
            });
            document(&permissions, r#""users": {"u": {"allow": ["**"]}, "v": {"allow": ["p0"]}}"#)
        };
        for user in ["u", "v"] {
            grows_with_its_input(1_000, lattice, |text| ask_all(text, user, "p0"));
        }
    }
}

#[test]
fn settings_without_end() {
    let settings = |count: usize| {
        let settings = entries(count, |at| format!(r#""s{at}": {{"default": 1}}"#));
        let said = entries(count, |at| format!(r#""s{at}": 2"#));
        format!(
            r#"{{"format": 1, "catalogue": {{"permissions": [{{"key": "p"}}], "settings": {{{settings}}}}}, "global": {{"settings": {{{said}}}}}, "users": {{"u": {{"settings": {{{said}}}}}}}}}"#
        )
    };
    grows_with_its_input(1_000, settings, |text| ask_all(text, "u", "p"));
}

#[test]
fn keys_that_are_much_alike() {
    let prefix = "x".repeat(100);
    let users = |count: usize| {
        let users = entries(count, |at| format!(r#""{prefix}{at:08}": {{}}"#));
        document(r#"{"key": "p"}"#, &format!(r#""users": {{"u": {{"allow": ["p"]}}, {users}}}"#))
    };
    grows_with_its_input(5_000, users, |text| ask_all(text, "u", "p"));
}

/// An object that counts what it is asked.
struct Counting {
    asked: Cell<usize>,
}

impl Object for Counting {
    fn kind(&self) -> &str {
        "job"
    }
    fn relation(&self, _: &str, subject: &Subject<'_>) -> Option<RelationState> {
        self.asked.set(self.asked.get() + 1);
        subject.users(["u"])
    }
    fn attribute(&self, _: &str) -> Option<Value<'_>> {
        self.asked.set(self.asked.get() + 1);
        Some(Value::Integer(1))
    }
}

#[test]
fn what_an_object_is_asked_is_asked_once() {
    for (shape, step) in [("chain", 1), ("lattice", 2)] {
        let asked = |count: usize| {
            let permissions = entries(count, |at| {
                let next = at / step * step + step;
                let needs = entries(step, |other| format!(r#""p{}""#, next + other));
                let needs = if next + step <= count { needs } else { String::new() };
                format!(
                    r#"{{"key": "p{at}", "object": "job", "checks": ["x"], "requires": [{needs}],
                    "scopes": [{{"key": "s", "when": {{"who": "me"}}}}]}}"#
                )
            });
            let text = format!(
                r#"{{"format": 1, "catalogue": {{"permissions": [{permissions}],
                    "objects": {{"job": {{"relations": {{"who": "user"}}, "attributes": {{"x": "at_most"}}}}}}}},
                    "global": {{"allow": ["**"], "bounds": {{"job.x": 1}}}}, "users": {{"u": {{}}}}}}"#
            );
            let engine = Engine::new(&policy(&text));
            let (user, action) =
                (engine.user("u").expect("a user"), engine.permission("p0").expect("p0"));
            let object = Counting { asked: Cell::new(0) };
            assert!(engine.can(user, action, &object));
            let can = object.asked.take();
            assert!(engine.filter(user, action, None).matches(&object));
            let matches = object.asked.take();
            assert!(engine.explain(user, action, &object).to_string().len() < 10_000);
            [can, matches, object.asked.take()]
        };
        // One relation and one attribute, however many permissions they decide.
        assert_eq!(asked(50)[..2], [2, 2], "{shape}");
        assert_eq!(asked(100)[..2], [2, 2], "{shape}");
        let (once, twice) = (asked(50)[2], asked(100)[2]);
        assert!(twice <= 2 * once + 10, "{shape}: {once}, then {twice}");
    }
}

/// Names that look the same to a reader, but are different.
#[test]
fn names_are_compared_byte_by_byte() {
    let (composed, decomposed) = ("Zo\u{eb}", "Zoe\u{308}");
    let text = document(
        r#"{"key": "p"}, {"key": "q"}"#,
        &format!(
            r#""groups": {{"{composed}": {{}}, "{decomposed}": {{}}}}, "users": {{"{composed}": {{"allow": ["p"], "groups": ["{composed}"]}}, "{decomposed}": {{"allow": ["q"], "groups": ["{decomposed}"]}}}}"#
        ),
    );
    let policy = policy(&text);
    let engine = Engine::new(&policy);
    for (user, held) in [(composed, "p"), (decomposed, "q")] {
        assert_eq!(engine.effective(engine.user(user).expect("a user")).len(), 1);
        assert_eq!(engine.check(user, held, ()), Ok(true), "{user}");
    }
    assert!(engine.user("zo\u{eb}").is_err() && engine.user("Zoe").is_err());
    // Escapes belong to the format, and spell the same name.
    assert!(read(&document("", r#""users": {"Zo\u00eb": {}, "Zoë": {}}"#)).is_err());
    let alike = |policy: &Policy| -> Vec<String> {
        let found = policy.lint().into_iter().filter(|found| found.code == Code::LookAlike);
        found.map(|found| found.place).collect()
    };
    assert_eq!(
        alike(&policy),
        [format!("groups[\"{decomposed}\"]"), format!("users[\"{decomposed}\"]")]
    );

    // The second has a Cyrillic letter.
    let policy = read(&document("", r#""users": {"paul": {}, "p\u0430ul": {}}"#));
    assert_eq!(alike(&policy.expect("a policy")), ["users[\"p\u{430}ul\"]"]);
}

#[test]
fn cycles_that_share_what_they_go_through() {
    let rings = |count: usize| {
        let next = |at| (at + 1) % count;
        let role = |at| format!(r#""r{at}": {{"includes": ["r{}", "r0"]}}"#, next(at));
        document("", &format!(r#""roles": {{{}}}"#, entries(count, role)))
    };
    grows_with_its_input(1_000, rings, |text| drop(read(text).expect_err("cycles")));
}

#[test]
fn levels_that_are_wrong() {
    let wrong = |count: usize| {
        let graded =
            entries(count, |at| format!(r#"{{"key": "p{at}", "levels": ["a", "readwrite{at}"]}}"#));
        let said = entries(count, |at| format!(r#""q{at}": {{"levels": {{"**": "readwrite"}}}}"#));
        document(&graded, &format!(r#""profiles": {{{said}}}"#))
    };
    grows_with_its_input(600, wrong, |text| drop(read(text).expect_err("unknown")));
}

#[test]
fn names_that_are_wrong_and_long() {
    let name = |at: usize| format!("{}{at:06}", "abcdefgh".repeat(20));
    let known = entries(200, |at| format!(r#"{{"key": "{}"}}"#, name(at)));
    let wrong = entries(200, |at| format!(r#""{}x""#, name(at)));
    let text = document(&known, &format!(r#""global": {{"allow": [{wrong}]}}"#));
    let counted = measure(|| drop(read(&text).expect_err("unknown")));
    assert!(counted.bytes_total < 100 * text.len() as u64, "{counted:?} of {}", text.len());
}

/// Scopes each of which tests one more relation than the one before: enough of them to
/// have about `size` tests.
fn stairs(size: usize) -> String {
    let count = (2 * size).isqrt();
    let relations = entries(count, |at| format!(r#""r{at}": "user""#));
    let scopes = entries(count, |at| {
        let before = entries(at, |before| format!(r#""r{before}": "other""#));
        let comma = if at > 0 { ", " } else { "" };
        format!(r#"{{"key": "s{at}", "when": {{{before}{comma}"r{at}": "me"}}}}"#)
    });
    format!(
        r#"{{"format": 1, "catalogue": {{
            "permissions": [{{"key": "p", "object": "job", "scopes": [{scopes}]}}],
            "objects": {{"job": {{"relations": {{{relations}}}}}}}}},
            "users": {{"u": {{"allow": ["p"]}}}}}}"#
    )
}

#[test]
fn filters_of_scopes_that_differ_in_many_relations() {
    grows_with_its_input(2_000, stairs, |text| {
        let engine = Engine::new(&policy(text));
        engine.filter_by_name("u", "p", None).expect("a filter");
    });
    // The diagram asks for each relation once.
    for scopes in [100, 400] {
        let text = stairs(scopes * scopes / 2);
        let engine = Engine::new(&policy(&text));
        let told = engine.filter_by_name("u", "p", None).expect("a filter").to_string();
        let tests = told.matches(" is ").count();
        assert!(tests <= 4 * scopes, "{tests} tests of {scopes} scopes");
        assert!(told.len() < 100 * scopes, "{} letters of {scopes} scopes", told.len());
    }
    // Without its normal form, it still matches what is allowed.
    let engine = Engine::new(&policy(&stairs(2_000)));
    let (user, action) = (engine.user("u").expect("u"), engine.permission("p").expect("p"));
    let filter = engine.filter(user, action, None);
    for steps in 0..63 {
        for left_out in [0, steps / 2, 100] {
            let mut job = DynamicObject::new("job");
            for at in (0..steps).filter(|at| *at != left_out) {
                job = job.with_relation(&format!("r{at}"), ["v"]);
            }
            job = job.with_relation(&format!("r{steps}"), ["u"]);
            let allowed = engine.can(user, action, &job);
            assert_eq!(allowed, steps == 0 || left_out > steps, "{steps} without {left_out}");
            assert_eq!(filter.matches(&job), allowed, "{steps} without {left_out}");
        }
    }
}

#[test]
fn differences_of_scopes_that_differ_in_many_relations() {
    let denied = r#"{"edit": {"source": {"user": "u"}, "ops": [{"deny": "p.s1"}]}}"#;
    let change = serde_json::from_str(denied).expect("a change");
    let what_if = |text: &str| {
        let engine = Engine::new(&policy(text));
        engine.what_if(Actor::Host, &change).expect("it may be made").diff.to_string()
    };
    grows_with_its_input(2_000, stairs, |text| drop(what_if(text)));
    // Two hundred scopes: what is lost is found, and nothing else.
    let told = what_if(&stairs(20_000));
    assert!(told.contains("has `p` on fewer objects"), "{}", &told[..500]);
}

#[test]
fn mends_of_a_chain_of_requirements() {
    let chain = |count: usize| {
        let permissions = entries(count, |at| match at + 1 {
            next if next < count => format!(r#"{{"key": "p{at}", "requires": ["p{next}"]}}"#),
            _ => format!(r#"{{"key": "p{at}"}}"#),
        });
        document(&permissions, r#""users": {"u": {"allow": ["p0"]}}"#)
    };
    let mends = |text: &str| {
        let engine = Engine::new(&policy(text));
        let (user, action) = (engine.user("u"), engine.permission("p0"));
        engine.remedies(user.expect("a user"), action.expect("a permission"), ())
    };
    grows_with_its_input(500, chain, |text| drop(mends(text)));
    assert_eq!(mends(&chain(900)).least[0].steps.len(), 899);
    // Nobody reads that.
    assert!(mends(&chain(2_000)).least.is_empty());
}

/// Permissions on objects, each of which requires the next, itself or through a scope.
fn on_objects(count: usize, by_scope: bool) -> String {
    let permissions = entries(count, |at| {
        let next = if at + 1 < count { format!(r#""p{}""#, at + 1) } else { String::new() };
        let (own, scope) = if by_scope { ("", &*next) } else { (&*next, "") };
        format!(
            r#"{{"key": "p{at}", "object": "job", "requires": [{own}],
                "scopes": [{{"key": "s", "when": {{"who": "me"}}, "requires": [{scope}]}}]}}"#
        )
    });
    format!(
        r#"{{"format": 1, "catalogue": {{"permissions": [{permissions}],
            "objects": {{"job": {{"relations": {{"who": "user"}}}}}}}},
            "users": {{"u": {{"allow": ["**"]}}}}}}"#
    )
}

fn problems(text: &str) -> String {
    read(text).expect_err("too much").to_string()
}

#[test]
fn permissions_on_objects_that_require_each_other_in_a_chain() {
    // The first answers to all others: they are listed, up to a limit.
    for (by_scope, fits, too_many) in [(false, 1_000, 5_000), (true, 500, 5_000)] {
        let counted = measure(|| {
            let engine = Engine::new(&policy(&on_objects(fits, by_scope)));
            let job = DynamicObject::new("job").with_relation("who", ["u"]);
            assert_eq!(engine.check("u", "p0", &job), Ok(true));
        });
        assert!(counted.bytes_max < 100_000_000, "{counted:?}");
        let counted = measure(|| {
            let told = problems(&on_objects(too_many, by_scope));
            assert!(told.starts_with("catalogue.permissions["), "{told}");
            assert!(told.ends_with("]: too many dependencies: the limit is 4194304"), "{told}");
        });
        assert!(counted.bytes_max < 200_000_000, "{counted:?}");
    }
}

#[test]
fn scopes_that_share_many_requirements() {
    let text = |count: usize| {
        let scopes = entries(count, |at| format!(r#"{{"key": "s{at}", "when": {{}}}}"#));
        let all = entries(count, |at| format!(r#""p{at}""#));
        format!(
            r#"{{"format": 1, "catalogue": {{"permissions": [{}, {{"key": "all", "object": "job",
                "requires": [{all}], "scopes": [{scopes}]}}], "objects": {{"job": {{}}}}}}}}"#,
            plain(count)
        )
    };
    policy(&text(1_000));
    assert!(
        problems(&text(3_000)).starts_with("catalogue.permissions[3000].scopes[1398]: too many")
    );
}

#[test]
fn paths_of_long_names() {
    let key = "k".repeat(3_000);
    let permissions = |below: &str| format!(r#"{{"key": "{key}", "children": [{below}]}}"#);
    assert!(read(&document(&permissions(&plain(10)), r#""users": {}"#)).is_ok());
    let wide = document(&permissions(&permissions(&plain(1_000))), r#""users": {}"#);
    let counted = measure(|| {
        let told = problems(&wide);
        let place = "catalogue.permissions[0].children[0].key";
        assert_eq!(told, format!("{place}: too long: the limit is 4096 bytes"));
    });
    assert!(counted.bytes_total < 5_000_000, "{counted:?}");
    let kind = "k".repeat(4_000);
    let objects = |attribute: &str| {
        let attributes = format!(r#"{{"attributes": {{"{attribute}": "at_most"}}}}"#);
        format!(
            r#"{{"format": 1, "catalogue": {{"permissions": [], "objects": {{"{kind}": {attributes}}}}}}}"#
        )
    };
    assert!(read(&objects("amount")).is_ok());
    let long = "a".repeat(100);
    let place = format!("catalogue.objects.{kind}.attributes.{long}");
    assert_eq!(problems(&objects(&long)), format!("{place}: too long: the limit is 4096 bytes"));
}

/// Every limit on a document that reaches it, and on one that goes beyond.
#[test]
fn limits_that_are_set() {
    let text = r#"{"format": 1,
        "catalogue": {"permissions": [
            {"key": "jobs", "object": "job", "checks": ["floor"],
             "requires": ["price", "free"], "implies": ["free"],
             "scopes": [{"key": "mine", "when": {"who": "me"}}, {"key": "all", "when": {}}],
             "children": [{"key": "edit"}]},
            {"key": "free"},
            {"key": "price", "levels": ["none", "some", "all"]}],
            "objects": {"job": {"relations": {"who": "user"}, "attributes": {"floor": "at_least"}}},
            "settings": {"slot": {"values": [1]}}},
        "global": {"allow": ["jobs"]},
        "profiles": {"clerk": {"deny": ["jobs.edit"]}},
        "roles": {"lead": {"allow": ["**"], "deny": ["free"], "forbid": ["jobs.*"],
            "levels": {"price": "some"}, "bounds": {"job.floor": 1}, "settings": {"slot": 1}}},
        "groups": {"uk": {}},
        "users": {"ann": {"groups": ["uk", "leeds"]}, "robert": {"profile": "clerk"}}}"#;
    let problems = |limits: &Limits| {
        let document = serde_json::from_str::<Document>(text).expect("JSON");
        match Policy::builder().limits(*limits).build(document) {
            Ok(_) => String::new(),
            Err(problems) => problems.to_string(),
        }
    };
    type Field = fn(&mut Limits) -> &mut usize;
    let cases: [(Field, usize, &str); 10] = [
        (
            |limits| &mut limits.permissions,
            9,
            "catalogue.permissions[2]: too many permissions: the limit is 8",
        ),
        (
            |limits| &mut limits.depth,
            2,
            "catalogue.permissions[0].children: nested too deep: the limit is 1",
        ),
        (
            |limits| &mut limits.dependencies,
            31,
            "catalogue.permissions[0].children[0]: too many dependencies: the limit is 30",
        ),
        (|limits| &mut limits.sources, 1, "profiles: too many entries: the limit is 0"),
        (|limits| &mut limits.statements, 8, "roles.lead: too many statements: the limit is 7"),
        (|limits| &mut limits.groups, 2, "groups: too many groups: the limit is 1"),
        (|limits| &mut limits.users, 2, "users: too many users: the limit is 1"),
        (|limits| &mut limits.name, 6, "users.robert: too long: the limit is 5 bytes"),
        (
            |limits| &mut limits.path,
            9,
            "catalogue.permissions[0].children[0].key: too long: the limit is 8 bytes",
        ),
        (
            |limits| &mut limits.path,
            9,
            "catalogue.objects.job.attributes.floor: too long: the limit is 8 bytes",
        ),
    ];
    for (field, reached, told) in cases {
        let mut limits = Limits::default();
        *field(&mut limits) = reached;
        assert_eq!(problems(&limits), "", "{told}");
        *field(&mut limits) = reached - 1;
        let first = problems(&limits);
        assert_eq!(first.lines().find(|line| *line == told), Some(told), "{first}");
    }
}

/// No change gives a name longer than a document may have.
#[test]
fn names_that_changes_give() {
    let mut limits = Limits::default();
    limits.name = 8;
    let text = r#"{"format": 1, "catalogue": {}, "roles": {"r": {}}, "users": {"u": {}}}"#;
    let document: Document = serde_json::from_str(text).expect("JSON");
    let policy = Policy::builder().limits(limits).build(document).expect("a policy");
    let name = "NNNNNNNN";
    for change in [
        r#"{"create": {"source": {"role": "NNNNNNNN"}}}"#,
        r#"{"rename": {"source": {"role": "r"}, "to": "NNNNNNNN"}}"#,
        r#"{"rename": {"source": {"user": "u"}, "to": "NNNNNNNN"}}"#,
        r#"{"add_user": {"user": "NNNNNNNN"}}"#,
        r#"{"add_user": {"user": "v", "groups": ["NNNNNNNN"]}}"#,
        r#"{"set_groups": {"user": "u", "groups": ["NNNNNNNN"]}}"#,
        r#"{"set_group": {"group": "NNNNNNNN"}}"#,
        r#"{"set_group": {"group": "g", "parent": "NNNNNNNN"}}"#,
        r#"{"set_licence": {"features": ["NNNNNNNN"]}}"#,
        r#"{"import": {"bundle": {"roles": {"NNNNNNNN": {}}}}}"#,
    ] {
        let apply = |change: &str| {
            let change = serde_json::from_str(change).expect("a change");
            policy.apply(Actor::Host, &change).map(drop)
        };
        assert!(apply(change).is_ok(), "{change}");
        let longer = [format!("{name}N"), format!("{name}NNNN")];
        for longer in longer.map(|longer| change.replace(name, &longer)) {
            let refusal = apply(&longer).expect_err("too long a name").to_string();
            assert!(refusal.contains("a name is too long: the limit is 8 bytes"), "{refusal}");
        }
    }
}

/// The result of a change is within the policy's own limits.
#[test]
fn changes_are_held_to_the_limits() {
    let text = r#"{
        "format": 1, "catalogue": {},
        "profiles": {"a": {}, "b": {}}, "roles": {"a": {}, "b": {}},
        "approval_groups": {"a": {}, "b": {}},
        "users": {"ann": {"groups": ["g"]}, "bob": {"groups": ["h"]}}}"#;
    let mut limits = Limits::default();
    (limits.users, limits.sources, limits.groups) = (3, 3, 3);
    let document: Document = serde_json::from_str(text).expect("JSON");
    let policy = Policy::builder().limits(limits).build(document).expect("a policy");
    for (change, refusal) in [
        (r#"{"add_user": {"user": "NEW"}}"#, "too many users: the limit is 3"),
        (r#"{"create": {"source": {"profile": "NEW"}}}"#, "too many profiles: the limit is 3"),
        (r#"{"create": {"source": {"role": "NEW"}}}"#, "too many roles: the limit is 3"),
        (r#"{"import": {"bundle": {"roles": {"NEW": {}}}}}"#, "too many roles: the limit is 3"),
        (
            r#"{"create": {"source": {"approval_group": "NEW"}}}"#,
            "too many approval groups: the limit is 3",
        ),
        (
            r#"{"set_groups": {"user": "ann", "groups": ["NEW"]}}"#,
            "too many groups: the limit is 3",
        ),
        (r#"{"set_group": {"group": "NEW"}}"#, "too many groups: the limit is 3"),
    ] {
        let apply = |policy: &Policy, name: &str| {
            let change = serde_json::from_str(&change.replace("NEW", name)).expect("a change");
            policy.apply(Actor::Host, &change)
        };
        let full = apply(&policy, "x").expect("there is room for one").policy;
        let refused = apply(&full, "y").expect_err("there is none for two");
        assert_eq!(refused.to_string(), format!("invalid: {refusal}"));
        assert!(full.revise(Document::from(&full)).is_ok());
        // What takes no more room is still possible.
        let suspend = r#"{"set_suspended": {"user": "bob", "suspended": true}}"#;
        assert!(full.apply(Actor::Host, &serde_json::from_str(suspend).expect("a change")).is_ok());
    }
}

#[test]
fn sources_that_say_the_same_again() {
    let patterns = |count: usize| {
        let said = entries(count, |_| r#""**""#.to_owned());
        document(
            &plain(count),
            &format!(
                r#""global": {{"allow": [{said}], "except": [{said}], "deny": [{said}], "forbid": [{said}]}}, "users": {{"u": {{}}}}"#
            ),
        )
    };
    grows_with_its_input(400, patterns, |text| {
        let policy = policy(text);
        assert!(policy.tree(&SourceName::Global).is_ok());
        policy.lint();
        Engine::new(&policy);
    });
    // For each permission, the forbid is reported once.
    let engine = Engine::new(&policy(&patterns(10)));
    let told = engine.explain_by_name("u", "p0", ()).expect("an explanation").to_string();
    assert_eq!(told.matches("global.forbid[").count(), 1, "{told}");
}

#[test]
fn editions_that_include_each_other_in_a_chain() {
    let chain = |count: usize| {
        let editions = entries(count, |at| {
            let next = if at + 1 < count { format!(r#""e{}""#, at + 1) } else { String::new() };
            format!(r#""e{at}": {{"features": ["f{at}"], "includes": [{next}]}}"#)
        });
        let last = count - 1;
        format!(
            r#"{{"format": 1, "licence": {{"edition": "e0"}}, "catalogue": {{
                "permissions": [{{"key": "p", "feature": "f{last}"}}, {{"key": "q", "feature": "g"}}],
                "editions": {{{editions}}}}}, "users": {{"u": {{"allow": ["*"]}}}}}}"#
        )
    };
    grows_with_its_input(500, chain, |text| {
        let policy = policy(text);
        policy.lint();
        let engine = Engine::new(&policy);
        assert_eq!(engine.check("u", "p", ()), Ok(true));
        assert_eq!(engine.check("u", "q", ()), Ok(false));
    });
}

#[test]
fn bounds_that_join_in_many_roles() {
    let roles = |count: usize| {
        let roles =
            entries(count, |at| format!(r#""r{at}": {{"bounds": {{"job.place": ["t{at}"]}}}}"#));
        let all = entries(count, |at| format!(r#""r{at}""#));
        format!(
            r#"{{"format": 1, "catalogue": {{
                "permissions": [{{"key": "p", "object": "job", "checks": ["place"]}}],
                "objects": {{"job": {{"attributes": {{"place": "one_of"}}}}}}}},
                "roles": {{{roles}}}, "users": {{"u": {{"allow": ["p"], "roles": [{all}]}}}}}}"#
        )
    };
    grows_with_its_input(1_000, roles, |text| {
        let engine = Engine::new(&policy(text));
        let job = DynamicObject::new("job").with_attribute("place", "t7");
        assert_eq!(engine.check("u", "p", &job), Ok(true));
    });
}

#[test]
fn problems_at_places_of_long_names() {
    let name = "n".repeat(50_000);
    let wrong = entries(5_000, |_| r#""x""#.to_owned());
    let fields = entries(5_000, |at| format!(r#""f{at}": 1"#));
    for said in [format!(r#""allow": [{wrong}]"#), fields] {
        let text = document(r#"{"key": "p"}"#, &format!(r#""users": {{"{name}": {{{said}}}}}"#));
        let counted = measure(|| {
            let problems = read(&text).expect_err("wrong");
            assert_eq!(problems.iter().last().expect("a problem").place(), "");
        });
        assert!(counted.bytes_max < 160_000_000, "{counted:?}");
    }
}

/// All that an adoption leaves out is reported, or nothing is adopted.
#[test]
fn more_is_left_out_than_can_be_told() {
    let name = "n".repeat(100_000);
    let roles = |gone: usize| {
        let gone = entries(gone, |_| r#""gone""#.to_owned());
        document(r#"{"key": "p"}"#, &format!(r#""roles": {{"{name}": {{"deny": [{gone}]}}}}"#))
    };
    let adopt =
        |text: &str| Policy::builder().adopt(serde_json::from_str::<Document>(text).expect("JSON"));
    let left_out = adopt(&roles(600)).expect("it fits without").left_out;
    assert_eq!(left_out.len(), 600);
    let problems = adopt(&roles(700)).expect_err("too much").to_string();
    assert_eq!(problems, "too many bytes of places to report: the limit is 67108864");
}
