//! Reading documents that are hostile, broken, or written in another format:
//! an error with a place, or a policy, and never a panic.

use std::fmt::Debug;
use std::fs;

use fastrand::Rng;
use grantree::document::{CompactDocument, Map, Role};
use grantree::problem::{Limits, Problem};
use grantree::{Document, Engine, Policy};
use serde::de::DeserializeOwned;
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use support::compact_laws::compact_documents_are_read_alike;

use crate::files::POLICIES;

/// The places of a document's problems, none if it is a policy; or the error of the
/// format's reader.
fn places(text: &str) -> Result<Vec<String>, serde_json::Error> {
    compact_documents_are_read_alike(text.as_bytes(), Limits::default());
    let document: Document = serde_json::from_str(text)?;
    Ok(match Policy::try_from(document) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(|problem| problem.place().to_owned()).collect(),
    })
}

/// A document with an entry for every kind of map that there is.
const WHOLE: &str = r#"{
  "format": 1,
  "catalogue": {
    "permissions": [
      {"key": "a", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "me"}}]},
      {"key": "g", "levels": ["none", "all"]}],
    "objects": {"job": {"relations": {"assignee": "user"}, "attributes": {"x": "at_most", "d": "not_before"}}},
    "settings": {"slot": {"default": 1}},
    "editions": {"pro": {"features": []}}},
  "licence": {"edition": "pro"},
  "global": {"levels": {"g": "all"}, "bounds": {"job.x": 1, "job.d": {"plus_days": 1}}, "settings": {"slot": 1}},
  "profiles": {"p": {"levels": {"g": "all"}}},
  "roles": {"r": {"unique": true}},
  "approval_groups": {"b": {"template": true}},
  "groups": {"uk": {"label": "UK"}},
  "users": {"u": {"admin": true}},
  "governance": {"permissions": {"import": ["g"]}, "separation": [{"name": "n", "permissions": [], "at_most": 1}]}
}"#;

/// The entries of [`WHOLE`], one in each kind of map, with their places.
const ENTRIES: &[(&str, &str)] = &[
    (r#""format": 1"#, "format"),
    (r#""default": 1"#, "catalogue.settings.slot.default"),
    (r#""object": "job""#, "catalogue.permissions[0].object"),
    (r#""when": {"assignee": "me"}"#, "catalogue.permissions[0].scopes[0].when"),
    (r#""assignee": "me""#, "catalogue.permissions[0].scopes[0].when.assignee"),
    (
        r#""job": {"relations": {"assignee": "user"}, "attributes": {"x": "at_most", "d": "not_before"}}"#,
        "catalogue.objects.job",
    ),
    (r#""relations": {"assignee": "user"}"#, "catalogue.objects.job.relations"),
    (r#""assignee": "user""#, "catalogue.objects.job.relations.assignee"),
    (r#""x": "at_most""#, "catalogue.objects.job.attributes.x"),
    (r#""slot": {"default": 1}"#, "catalogue.settings.slot"),
    (r#""pro": {"features": []}"#, "catalogue.editions.pro"),
    (r#""features": []"#, "catalogue.editions.pro.features"),
    (r#""editions": {"pro": {"features": []}}"#, "catalogue.editions"),
    (r#""edition": "pro""#, "licence.edition"),
    (r#""bounds": {"job.x": 1, "job.d": {"plus_days": 1}}"#, "global.bounds"),
    (r#""job.x": 1"#, "global.bounds.job.x"),
    (r#""plus_days": 1"#, "global.bounds.job.d"),
    (r#""slot": 1"#, "global.settings.slot"),
    (r#""g": "all""#, "global.levels.g profiles.p.levels.g"),
    (r#""levels": {"g": "all"}"#, "global.levels profiles.p.levels"),
    (r#""p": {"levels": {"g": "all"}}"#, "profiles.p"),
    (r#""r": {"unique": true}"#, "roles.r"),
    (r#""unique": true"#, "roles.r.unique"),
    (r#""b": {"template": true}"#, "approval_groups.b"),
    (r#""template": true"#, "approval_groups.b.template"),
    (r#""uk": {"label": "UK"}"#, "groups.uk"),
    (r#""label": "UK""#, "groups.uk.label"),
    (r#""u": {"admin": true}"#, "users.u"),
    (r#""admin": true"#, "users.u.admin"),
    (r#""import": ["g"]"#, "governance.permissions.import"),
    (r#""permissions": {"import": ["g"]}"#, "governance.permissions"),
    (r#""at_most": 1"#, "governance.separation[0].at_most"),
];

#[test]
fn a_key_that_stands_twice_is_refused_in_every_map() {
    assert!(places(WHOLE).expect("JSON").is_empty());
    for (entry, place) in ENTRIES {
        assert!(WHOLE.contains(entry), "{entry}");
        let text = WHOLE.replace(entry, &format!("{entry}, {entry}"));
        assert_eq!(places(&text).expect("JSON").join(" "), *place, "{entry}");
    }
}

#[test]
fn an_unknown_key_is_refused_in_every_record() {
    for (record, place) in [
        (r#""format": 1"#, ""),
        (r#""editions": {"pro""#, "catalogue."),
        (r#""object": "job""#, "catalogue.permissions[0]."),
        (r#""key": "s""#, "catalogue.permissions[0].scopes[0]."),
        (r#""relations": {"assignee": "user"}"#, "catalogue.objects.job."),
        (r#""default": 1"#, "catalogue.settings.slot."),
        (r#""features": []"#, "catalogue.editions.pro."),
        (r#""edition": "pro""#, "licence."),
        (r#""bounds": {"job.x""#, "global."),
        (r#""unique": true"#, "roles.r."),
        (r#""template": true"#, "approval_groups.b."),
        (r#""label": "UK""#, "groups.uk."),
        (r#""admin": true"#, "users.u."),
        (r#""permissions": {"import": ["g"]}"#, "governance."),
        (r#""at_most": 1"#, "governance.separation[0]."),
    ] {
        assert!(WHOLE.contains(record), "{record}");
        for value in ["1", "null", r#"{"a": [[{}], {"a": 1, "a": 2}]}"#] {
            let text = WHOLE.replace(record, &format!("\"nope\": {value}, {record}"));
            assert_eq!(places(&text).expect("JSON"), [format!("{place}nope")], "{record}");
        }
    }
    // A bound is right or wrong as a whole.
    let text = WHOLE.replace(r#""plus_days": 1"#, r#""plus_days": 1, "nope": 1"#);
    assert_eq!(places(&text).expect("JSON"), ["global.bounds.job.d"]);
}

/// What is refused is not made acceptable by writing it and reading it again.
#[test]
fn a_document_with_mistakes_is_not_written() {
    for (entry, _) in ENTRIES {
        let text = WHOLE.replace(entry, &format!("{entry}, {entry}"));
        let document: Document = serde_json::from_str(&text).expect("JSON");
        if let Ok(again) = serde_json::to_string(&document) {
            assert!(!places(&again).expect("JSON").is_empty(), "{entry}");
        }
    }
    let text = r#"{"format": 1, "catalogue": {}, "users": {"bob": {"dney": ["a"]}}}"#;
    let document: Document = serde_json::from_str(text).expect("JSON");
    assert_eq!(
        serde_json::to_string(&document).unwrap_err().to_string(),
        "the document has problems: users.bob.dney: unknown field `dney`; did you mean `deny`?",
    );
}

#[test]
fn parts_are_read_by_themselves() {
    fn reads<T: Debug + PartialEq + Serialize + DeserializeOwned>(part: &T) {
        let text = serde_json::to_string(part).expect("JSON");
        assert_eq!(&serde_json::from_str::<T>(&text).expect("the part"), part);
        let mut wrong: Value = serde_json::from_str(&text).expect("JSON");
        wrong["nope"] = json!(1);
        let error = T::deserialize(&wrong).expect_err("a mistake").to_string();
        assert_eq!(error, "nope: unknown field `nope`");
    }
    fn all<'a, T: Debug + PartialEq + Serialize + DeserializeOwned + 'a>(
        parts: impl IntoIterator<Item = &'a T>,
    ) {
        let count = parts.into_iter().map(reads).count();
        assert!(count > 0);
    }
    let document: Document = serde_json::from_str(WHOLE).expect("JSON");
    let catalogue = &document.catalogue;
    reads(catalogue);
    all(&catalogue.permissions);
    all(&catalogue.permissions[0].scopes);
    all(catalogue.objects.iter().map(|(_, part)| part));
    all(catalogue.settings.iter().map(|(_, part)| part));
    all(catalogue.editions.iter().map(|(_, part)| part));
    reads(&document.licence);
    reads(&document.global);
    all(document.profiles.iter().map(|(_, part)| part));
    all(document.roles.iter().map(|(_, part)| part));
    all(document.approval_groups.iter().map(|(_, part)| part));
    all(document.groups.iter().map(|(_, part)| part));
    all(document.users.iter().map(|(_, part)| part));
    reads(&document.governance);
    all(&document.governance.separation);
    // The parts of a map too.
    let roles = serde_json::to_string(&document.roles).expect("JSON");
    assert_eq!(serde_json::from_str::<Map<Role>>(&roles).expect("roles"), document.roles);
}

/// Nested values, without any text or tree that would have to be as deep: `key`s of
/// permissions and their `children`, or just lists.
#[derive(Clone, Copy)]
struct Nest {
    depth: usize,
    of: Nested,
}

#[derive(Clone, Copy)]
enum Nested {
    Document(&'static str),
    Catalogue,
    Permissions,
    Permission,
    Lists,
    Maps,
    Text(&'static str),
    One,
}

impl<'de> IntoDeserializer<'de, Error> for Nest {
    type Deserializer = Nest;
    fn into_deserializer(self) -> Nest {
        self
    }
}

impl<'de> Deserializer<'de> for Nest {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Nest { depth, of } = self;
        let inner = |of| Nest { depth: depth.saturating_sub(1), of };
        let map = |entries: Vec<(&'static str, Nested)>| {
            MapDeserializer::new(entries.into_iter().map(move |(key, of)| (key, inner(of))))
        };
        match of {
            Nested::Document("catalogue") => visitor
                .visit_map(map(vec![("format", Nested::One), ("catalogue", Nested::Catalogue)])),
            Nested::Document(field) => visitor.visit_map(map(vec![
                ("format", Nested::One),
                ("catalogue", Nested::Maps),
                (field, Nested::Lists),
            ])),
            Nested::Catalogue => visitor.visit_map(map(vec![("permissions", Nested::Permissions)])),
            Nested::Permissions | Nested::Lists if depth > 0 => {
                let item = match of {
                    Nested::Permissions => Nested::Permission,
                    _ => Nested::Lists,
                };
                visitor.visit_seq(SeqDeserializer::new([inner(item)].into_iter()))
            }
            Nested::Permission => visitor.visit_map(map(vec![
                ("key", Nested::Text("a")),
                ("children", Nested::Permissions),
            ])),
            Nested::Maps if depth > 0 => visitor.visit_map(map(vec![("x", Nested::Maps)])),
            Nested::Permissions | Nested::Lists => {
                visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<Nest>()))
            }
            Nested::Maps => visitor.visit_map(map(Vec::new())),
            Nested::Text(text) => visitor.visit_str(text),
            Nested::One => visitor.visit_u64(1),
        }
    }

    /// As readers do, without descending.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
    }
}

#[test]
fn a_format_without_a_limit_of_its_own_is_read_to_ours() {
    let read = |depth, field| {
        let nest = Nest { depth, of: Nested::Document(field) };
        let document = Document::deserialize(nest).expect("a value");
        let compact = CompactDocument::deserialize(nest).expect("a value");
        let read = Policy::try_from(document);
        let problems = read.as_ref().err();
        assert_eq!(problems, Policy::try_from(compact).as_ref().err());
        read
    };
    for levels in [1, 30, 60] {
        assert!(read(2 * levels, "catalogue").is_ok(), "{levels}");
    }
    for levels in [70, 10_000, 1_000_000_000] {
        let problems = read(2 * levels, "catalogue").expect_err("it is too deep");
        let places: Vec<&str> = problems.iter().map(Problem::place).collect();
        let [place] = places[..] else { panic!("{problems}") };
        assert!(place.starts_with("catalogue.permissions[0].children[0].children[0]"), "{place}");
        assert!(problems.to_string().ends_with("nested too deep: the limit is 134"), "{problems}");
    }
    // Lists where there should be none, in places known and unknown.
    for field in ["users", "global", "licence", "format", "nope", "default_profile"] {
        assert!(read(1_000_000_000, field).is_err(), "{field}");
    }
}

#[test]
fn json_nested_without_end_is_an_error_with_a_line() {
    let nested = |open: &str, depth: usize, close: &str| {
        format!("{}{}{}", open.repeat(depth), "null", close.repeat(depth))
    };
    let children = nested(r#"[{"key": "a", "children": "#, 10_000, "}]");
    let (lists, maps) = (nested("[", 10_000, "]"), nested(r#"{"x": "#, 10_000, "}"));
    for text in [
        format!(r#"{{"format": 1, "catalogue": {{"permissions": {children}}}}}"#),
        format!(r#"{{"format": 1, "catalogue": {{"permissions": {lists}}}}}"#),
        format!(r#"{{"format": 1, "catalogue": {maps}}}"#),
        format!(r#"{{"format": {lists}, "catalogue": {{}}}}"#),
        format!(r#"{{"nope": {lists}, "format": 1, "catalogue": {{}}}}"#),
        format!(r#"{{"users": {{"u": {{"bounds": {maps}}}}}, "format": 1, "catalogue": {{}}}}"#),
        lists.clone(),
        maps.clone(),
        // And unclosed at its end.
        "[".repeat(100_000),
        r#"{"catalogue":"#.repeat(100_000),
        r#"{"format": 1, "catalogue": {"permissions": "#.to_owned()
            + &r#"[{"children": "#.repeat(10_000),
    ] {
        match places(&text) {
            Ok(places) => assert!(!places.is_empty(), "{}", &text[..60]),
            Err(error) => assert!(error.to_string().contains(" at line 1 column "), "{error}"),
        }
    }
}

#[test]
fn a_deep_value_is_read_to_the_limit() {
    let mut permissions = json!([]);
    for _ in 0..200 {
        let mut permission = json!({"key": "a"});
        permission["children"] = permissions;
        permissions = Value::Array(vec![permission]);
    }
    let mut value = json!({"format": 1, "catalogue": {}});
    value["catalogue"]["permissions"] = permissions;
    let problems = Policy::try_from(Document::deserialize(&value).expect("a value"));
    assert!(
        problems
            .expect_err("it is too deep")
            .to_string()
            .ends_with("nested too deep: the limit is 134")
    );
    let problems = Policy::try_from(serde_json::from_value::<Document>(value).expect("a value"));
    assert!(
        problems
            .expect_err("it is too deep")
            .to_string()
            .ends_with("nested too deep: the limit is 134")
    );
}

/// A document that is wrong in many places is not answered with a multiple of
/// itself.
#[test]
fn problems_are_no_longer_than_the_document() {
    let entries = |entry: fn(usize) -> String| (0..1_000).map(entry).collect::<Vec<_>>().join(", ");
    let roles =
        entries(|at| format!(r#""r{at}": {{"includes": ["r{}", "r0"]}}"#, (at + 1) % 1_000));
    let values = entries(|at| at.to_string());
    let users = entries(|at| format!(r#""u{at}": {{"settings": {{"s": -1}}}}"#));
    for text in [
        format!(r#"{{"format": 1, "catalogue": {{}}, "roles": {{{roles}}}}}"#),
        format!(
            r#"{{"format": 1, "catalogue": {{"settings": {{"s": {{"values": [{values}]}}}}}}, "users": {{{users}}}}}"#
        ),
    ] {
        let document: Document = serde_json::from_str(&text).expect("JSON");
        let told = Policy::try_from(document).expect_err("problems").to_string();
        assert!(told.len() < 20 * text.len(), "{} bytes for {}", told.len(), text.len());
    }
}

// The products' policies, and what becomes of them.

const PRODUCTS: [&str; 5] = ["connect", "drs", "gruntify", "orchestly", "shipping"];

fn product(name: &str) -> Value {
    let file = format!("{POLICIES}/{name}.json");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}

/// Reads it and, if it is a policy after all, asks it something.
fn read(text: &[u8]) -> Read {
    compact_documents_are_read_alike(text, Limits::default());
    let Ok(document) = serde_json::from_slice::<Document>(text) else {
        return Read::Error;
    };
    let written = serde_json::to_string(&document).ok();
    let again = written.and_then(|text| serde_json::from_str::<Document>(&text).ok());
    let policy = match Policy::try_from(document) {
        Ok(policy) => policy,
        Err(problems) => {
            assert!(again.is_none_or(|again| Policy::try_from(again).is_err()), "{problems}");
            for problem in &problems {
                assert_eq!(problem.to_string().lines().count(), 1, "{problem}");
            }
            assert!(problems.iter().count() > 0);
            return Read::Problems;
        }
    };
    let engine = Engine::new(&policy);
    let document = Document::from(&policy);
    for (name, _) in document.users.iter().take(3) {
        let user = engine.user(name).expect("a user");
        for held in engine.effective(user).into_iter().take(5) {
            let action = engine.permission(&held.to_string()).expect("a permission");
            assert!(engine.why(user, action, ()).code() != "not_granted");
            engine.who_can(action, ());
        }
    }
    Read::Policy
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Read {
    Error,
    Problems,
    Policy,
}

/// Reads this many variants of each product's policy, and returns how many were an
/// error, had problems, or were a policy.
fn read_variants(
    variants: usize,
    mut vary: impl FnMut(&mut Rng, &str, &Value) -> Vec<u8>,
) -> [usize; 3] {
    let mut rng = Rng::with_seed(20_261_121);
    let mut outcomes = [0; 3];
    for name in PRODUCTS {
        let value = product(name);
        let text = value.to_string();
        assert_eq!(read(text.as_bytes()), Read::Policy, "{name}");
        // The large ones take long to read.
        for _ in 0..(variants * 12_000 / text.len()).max(20) {
            outcomes[read(&vary(&mut rng, &text, &value)) as usize] += 1;
        }
    }
    outcomes
}

#[test]
fn a_policy_cut_short_is_an_error() {
    let outcomes =
        read_variants(100, |rng, text, _| text.as_bytes()[..rng.usize(..text.len())].into());
    assert_eq!(outcomes[1..], [0, 0], "{outcomes:?}");
}

#[test]
fn bytes_out_of_place_are_an_error_or_problems_or_a_policy() {
    let outcomes = read_variants(250, |rng, text, _| {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..rng.usize(1..=3) {
            let at = rng.usize(..bytes.len());
            match rng.u8(..6) {
                0 => bytes[at] = rng.u8(..),
                1 => bytes[at] ^= 1 << rng.u8(..8),
                2 => drop(bytes.remove(at)),
                3 => bytes.insert(at, *rng.choice(b"{}[]\",:\\0-.eE tn\x00\xff*").expect("one")),
                4 => drop(bytes.drain(at..(at + rng.usize(..40)).min(bytes.len()))),
                _ => {
                    let from = rng.usize(..bytes.len());
                    let piece = bytes[from..(from + rng.usize(..40)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    });

    assert!(outcomes.iter().all(|&count| count > 20), "{outcomes:?}");
}

#[test]
fn values_out_of_place_are_problems_or_a_policy() {
    let outcomes = read_variants(250, |rng, _, value| {
        let mut value = value.clone();
        for _ in 0..rng.usize(1..=2) {
            // One value replaces another, or is removed.
            let taken = descend(rng, &mut value).clone();
            let target = descend(rng, &mut value);
            *target = match rng.u8(..8) {
                0 => Value::Null,
                1 => rng.i64(..).into(),
                2 => rng.bool().into(),
                3 => json!([]),
                4 => json!({}),
                _ => taken,
            };
        }
        value.to_string().into_bytes()
    });

    assert!(outcomes[0] == 0 && outcomes[1] > 20 && outcomes[2] > 20, "{outcomes:?}");
}

/// Some value within one.
fn descend<'v>(rng: &mut Rng, value: &'v mut Value) -> &'v mut Value {
    let within = match value {
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    };
    if within == 0 || rng.u8(..12) == 0 {
        return value;
    }
    let at = rng.usize(..within);
    let inner = match value {
        Value::Array(items) => items.get_mut(at),
        Value::Object(map) => map.values_mut().nth(at),
        _ => None,
    };
    descend(rng, inner.expect("it is within"))
}

// Other formats.

#[test]
fn toml_says_what_json_says() {
    let json = r#"{
      "format": 1,
      "catalogue": {
        "permissions": [{"key": "jobs", "children": [{"key": "edit", "object": "job", "scopes": [
            {"key": "own", "when": {"assignee": "me"}},
            {"key": "free", "when": {"assignee": ["other", "none"]}}]}]}],
        "objects": {"job": {"relations": {"assignee": "user"}, "attributes": {"region": "one_of", "starts": "not_before"}}}},
      "global": {"bounds": {"job.region": "any", "job.starts": {"next": "friday", "plus_days": -1}}},
      "users": {"alice": {"allow": ["jobs.**"], "admin": false}, "Ève Ü": {"groups": ["a.b"]}}
    }"#;
    let toml = r#"
      format = 1
      global.bounds."job.region" = "any"
      global.bounds."job.starts" = { next = "friday", plus_days = -1 }

      [[catalogue.permissions]]
      key = "jobs"
      [[catalogue.permissions.children]]
      key = "edit"
      object = "job"
      scopes = [
        { key = "own", when.assignee = "me" },
        { key = "free", when.assignee = ["other", "none"] },
      ]

      [catalogue.objects.job]
      relations.assignee = "user"
      attributes = { region = "one_of", starts = "not_before" }

      [users.alice]
      allow = ["jobs.**"]
      admin = false
      [users."Ève Ü"]
      groups = ["a.b"]
    "#;
    let json: Document = serde_json::from_str(json).expect("JSON");
    let toml: Document = toml::from_str(toml).expect("TOML");
    assert_eq!(toml, json);
    assert!(Policy::try_from(toml).is_ok());
}

#[test]
fn products_are_the_same_in_every_format() {
    for name in PRODUCTS {
        let text = product(name).to_string();
        let document: Document = serde_json::from_str(&text).expect("JSON");
        let written = toml::to_string(&document).expect("a document serializes");
        assert!(toml::from_str::<Document>(&written).expect("TOML") == document, "{name}: TOML");
        let compact = toml::from_str::<CompactDocument>(&written).expect("TOML");
        assert!(Document::from(compact) == document, "{name}: compact TOML");
        let value = toml::Value::try_from(&document).expect("a document serializes");
        assert!(value.try_into::<Document>().expect("a value") == document, "{name}: TOML value");
        let value = serde_json::to_value(&document).expect("a document serializes");
        assert!(Document::deserialize(&value).expect("a value") == document, "{name}: JSON value");
        let pretty = serde_json::to_vec_pretty(&document).expect("a document serializes");
        let read = serde_json::from_reader::<_, Document>(pretty.as_slice()).expect("JSON");
        assert!(read == document, "{name}: JSON from a stream");
    }
}

#[test]
fn toml_is_refused_with_the_same_problems() {
    let toml = r#"
      format = 2
      catalogue.permissions = [{ key = "a b", children = 3 }, { key = "b" }]
      global.allow = ["c"]
      users.u.admin = 2026-11-21
      users.u.roles = 1.5
    "#;
    let json = r#"{"format": 2, "catalogue": {"permissions": [{"key": "a b", "children": 3}, {"key": "b"}]},
      "global": {"allow": ["c"]}, "users": {"u": {"admin": {"a": "date"}, "roles": 1.5}}}"#;
    let told = |document: Document| {
        let problems = Policy::try_from(document).expect_err("problems").to_string();
        // A TOML table may come in another order.
        let mut lines: Vec<String> = problems.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let (toml, json) = (toml::from_str(toml).expect("TOML"), serde_json::from_str(json));
    assert_eq!(told(toml), told(json.expect("JSON")));
}
