//! Reading a document compactly is reading it.

use fastrand::Rng;
use grantree::document::CompactDocument;
use grantree::problem::Limits;
use grantree::{Document, Engine, Policy};
use serde_json::Value;

/// Bytes give the same document, the same policy and the same problems by a compact
/// document as by another; returns `true` if they give a policy.
pub fn compact_documents_are_read_alike(bytes: &[u8], limits: Limits) -> bool {
    let document = serde_json::from_slice::<Document>(bytes);
    let compact = serde_json::from_slice::<CompactDocument>(bytes);
    let (document, compact) = match (document, compact) {
        (Ok(document), Ok(compact)) => (document, compact),
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            return false;
        }
        (one, other) => panic!("one is refused: {:?} {:?}", one.err(), other.err()),
    };
    assert!(Document::from(compact.clone()) == document);
    assert!(Document::from(CompactDocument::from(document.clone())) == document);

    let builder = || Policy::builder().limits(limits);
    match (builder().adopt(document.clone()), builder().adopt(compact.clone())) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one.left_out, other.left_out);
            assert_eq!(Document::from(&one.policy), Document::from(&other.policy));
            assert_eq!(one.policy.digest(), other.policy.digest());
        }
        (one, other) => assert_eq!(one.err(), other.err()),
    }
    match (builder().build(document), builder().build(compact)) {
        (Ok(one), Ok(other)) => {
            assert_eq!(Document::from(&one), Document::from(&other));
            assert_eq!(one.digest(), other.digest());
            true
        }
        (one, other) => {
            assert_eq!(one.err(), other.err());
            false
        }
    }
}

/// A policy revised by the bytes of a document, and an engine that follows, give the answers
/// that those give which are made of it: the same users, in whatever order, the same digest,
/// and the same permissions of everybody. Handles stay those of the same names.
pub fn policies_are_revised_alike(before: &Policy, bytes: &[u8]) {
    let Ok(compact) = serde_json::from_slice::<CompactDocument>(bytes) else { return };
    let (Ok(made), Ok(revised)) = (Policy::try_from(compact.clone()), before.revise(compact))
    else {
        return;
    };
    let revised = revised.policy;
    assert_eq!(revised.digest(), made.digest());
    let engine = Engine::new(before);
    let (followed, anew) = (engine.updated(&revised), Engine::new(&made));
    for (name, _) in Document::from(&made).users.iter() {
        let user = followed.user(name).expect("a user");
        let other = anew.user(name).expect("a user");
        assert_eq!(followed.effective(user), anew.effective(other), "{name}");
        match engine.user(name) {
            Ok(known) => assert_eq!(user, known, "{name}"),
            Err(_) => assert!(engine.effective(user).is_empty(), "{name}"),
        }
    }
    let back = revised.revise(Document::from(before)).expect("a policy").policy;
    assert_eq!(back.digest(), before.digest());
    let back = followed.updated(&back);
    for (name, _) in Document::from(before).users.iter() {
        let user = engine.user(name).expect("a user");
        if anew.user(name).is_err() {
            assert!(followed.effective(user).is_empty(), "{name}");
        }
        let again = back.user(name).expect("a user");
        assert_eq!(back.effective(again), engine.effective(user), "{name}");
    }
}

/// Writes a document as text, its maps in any order and with more users who have what
/// others have. Of so many values, about one is broken.
pub fn written(document: &Value, rng: &mut Rng, one_in: Option<usize>) -> String {
    let mut document = document.clone();
    if let Some(users) = document.get_mut("users").and_then(Value::as_object_mut) {
        let known: Vec<(String, Value)> =
            users.iter().map(|(name, user)| (name.clone(), user.clone())).collect();
        for (name, user) in known {
            for at in 0..rng.usize(..4) {
                let mut like = user.clone();
                if rng.bool() {
                    like["label"] = format!("{name} {at}").into();
                }
                users.insert(format!("{name}{at}"), like);
            }
        }
    }
    let mut text = String::new();
    write(&document, rng, one_in, &mut text);
    text
}

fn write(value: &Value, rng: &mut Rng, one_in: Option<usize>, text: &mut String) {
    const OTHERS: [&str; 10] = [
        "null",
        "7",
        "18446744073709551615",
        "-0.5",
        "true",
        r#""other""#,
        r#"[1, {"a": []}]"#,
        r#"{"label": "x", "label": null}"#,
        r#"{"roles": [], "groups": ["g"], "label": "a", "nope": {}, "label": "b"}"#,
        "{}",
    ];
    let breaks = |rng: &mut Rng| one_in.is_some_and(|values| rng.usize(..values) == 0);
    if breaks(rng) {
        text.push_str(rng.choice(OTHERS).expect("there are some"));
        return;
    }
    match value {
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                write(item, rng, one_in, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            rng.shuffle(&mut fields);
            let twice = fields.iter().copied().filter(|_| breaks(rng)).collect::<Vec<_>>();
            fields.extend(twice);
            text.push('{');
            for (at, (key, value)) in fields.into_iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                let key = if breaks(rng) { format!("{key}x") } else { key.clone() };
                text.push_str(&Value::from(key).to_string());
                text.push(':');
                write(value, rng, one_in, text);
            }
            text.push('}');
        }
        value => text.push_str(&value.to_string()),
    }
}
