//! The shapes of changes: a change of any other is `invalid`.

use serde_json::Value;

use super::super::bound::has_any_form;
use super::super::date::Today;
use super::super::json::entries;

/// A shape that a value may have.
type Shape = fn(&Value) -> bool;

/// A field: its name, `true` if it must be there, and its shape.
type Field = (&'static str, bool, Shape);

const STATEMENTS: [Field; 6] = [
    ("allow", false, is_texts),
    ("except", false, is_texts),
    ("deny", false, is_texts),
    ("forbid", false, is_texts),
    ("levels", false, is_map_of_texts),
    ("bounds", false, |it| is_map(it) && entries(it).all(|(_, it)| has_any_form(it))),
];
const TEXTS: [Field; 2] =
    [("label", false, is_text_or_null), ("description", false, is_text_or_null)];
const SETTINGS: Field =
    ("settings", false, |it| is_map(it) && entries(it).all(|(_, it)| is_value(it)));
const HELD: [Field; 2] = [("roles", false, is_texts), ("approval_groups", false, is_texts)];

/// Returns `true` if a kind of change may have such a body.
pub fn is_change(kind: &str, body: &Value) -> bool {
    let fields: &[Field] = match kind {
        "create" => &[("source", true, is_source), ("from", false, is_source)],
        "rename" => &[("source", true, is_source), ("to", true, Value::is_string)],
        "edit" => &[
            ("source", true, is_source),
            ("ops", true, |ops| ops.as_array().is_some_and(|ops| ops.iter().all(is_op))),
            ("cascade", false, Value::is_boolean),
        ],
        "delete" => &[("source", true, is_source), ("holders", false, is_holders)],
        "add_user" => return is_new_user(body),
        "remove_user" => &[("user", true, Value::is_string)],
        "assign" | "revoke" => &[("user", true, Value::is_string), ("source", true, is_source)],
        "transfer" => &[("role", true, Value::is_string), ("to", true, Value::is_string)],
        "set_assignment" => &[
            ("user", true, Value::is_string),
            ("name", true, Value::is_string),
            ("assignment", true, |it| it.is_null() || is_assignment(it)),
        ],
        "expire" => &[("before", true, is_moment)],
        "set_default_profile" => &[("profile", true, is_text_or_null)],
        "set_admin" => &[("user", true, Value::is_string), ("admin", true, Value::is_boolean)],
        "set_suspended" => {
            &[("user", true, Value::is_string), ("suspended", true, Value::is_boolean)]
        }
        "set_groups" => &[("user", true, Value::is_string), ("groups", true, is_texts)],
        "set_group" => &[("group", true, Value::is_string), ("parent", false, is_text_or_null)],
        "set_licence" => &[("edition", false, is_text_or_null), ("features", false, is_texts)],
        "import" => &[("bundle", true, is_bundle), ("on_conflict", false, is_on_conflict)],
        _ => return false,
    };
    is_record(body, fields)
}

fn is_record(value: &Value, fields: &[Field]) -> bool {
    let is_field = |(name, value): (&str, &Value)| {
        fields.iter().any(|(known, _, shape)| *known == name && shape(value))
    };
    let is_there = |(name, must, _): &Field| !must || value.get(name).is_some();
    is_map(value) && entries(value).all(is_field) && fields.iter().all(is_there)
}

fn is_map(value: &Value) -> bool {
    value.is_object()
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_string))
}

fn is_text_or_null(value: &Value) -> bool {
    value.is_string() || value.is_null()
}

fn is_map_of_texts(value: &Value) -> bool {
    is_map(value) && entries(value).all(|(_, value)| value.is_string())
}

fn is_value(value: &Value) -> bool {
    value.is_string() || value.is_boolean() || value.is_i64()
}

fn is_moment(value: &Value) -> bool {
    value.as_str().is_some_and(|text| Today::read(text).is_some())
}

fn is_source(value: &Value) -> bool {
    let kinds = ["profile", "role", "approval_group", "user"];
    let is_named = |(kind, name): (&str, &Value)| kinds.contains(&kind) && name.is_string();
    value == "global"
        || value.as_object().is_some_and(|it| it.len() == 1) && entries(value).all(is_named)
}

fn is_holders(value: &Value) -> bool {
    value == "refuse"
        || value == "unassign"
        || is_record(value, &[("reassign", true, Value::is_string)])
}

fn is_on_conflict(value: &Value) -> bool {
    ["refuse", "rename", "replace"].iter().any(|it| value == it)
}

fn is_op(op: &Value) -> bool {
    let (name, stated) = match op.as_object().map(|it| it.iter().collect::<Vec<_>>()) {
        Some(it) if it.len() == 1 => it[0],
        _ => return false,
    };
    let fields: &[Field] = match name.as_str() {
        "allow" | "except" | "deny" | "forbid" | "clear" => return stated.is_string(),
        "level" => &[("path", true, Value::is_string), ("level", true, Value::is_string)],
        "bound" => &[
            ("attribute", true, Value::is_string),
            ("bound", true, |it| it.is_null() || has_any_form(it)),
        ],
        "setting" => &[
            ("setting", true, Value::is_string),
            ("value", true, |it| it.is_null() || is_value(it)),
        ],
        "set" => &[
            ("label", false, is_text_or_null),
            ("description", false, is_text_or_null),
            ("template", false, |it| it.is_null() || it.is_boolean()),
            ("includes", false, |it| it.is_null() || is_texts(it)),
            ("assignable_by", false, |it| it.is_null() || is_texts(it)),
        ],
        _ => return false,
    };
    is_record(stated, fields)
}

fn is_assignment(value: &Value) -> bool {
    let terms: [Field; 3] = [
        ("on", false, |on| {
            is_map(on)
                && entries(on).all(|(_, stated)| {
                    is_map(stated) && entries(stated).all(|(_, it)| has_any_form(it))
                })
        }),
        ("from", false, is_moment),
        ("until", false, is_moment),
    ];
    is_record(value, &[&STATEMENTS[..], &TEXTS, &HELD, &terms].concat())
}

fn is_new_user(value: &Value) -> bool {
    let own: [Field; 7] = [
        ("user", true, Value::is_string),
        ("profile", false, is_text_or_null),
        ("groups", false, is_texts),
        ("admin", false, Value::is_boolean),
        ("suspended", false, Value::is_boolean),
        ("assignments", false, |it| is_map(it) && entries(it).all(|(_, it)| is_assignment(it))),
        SETTINGS,
    ];
    is_record(value, &[&STATEMENTS[..], &TEXTS, &HELD, &own].concat())
}

fn is_bundle(value: &Value) -> bool {
    const SHARED: [Field; 4] = [
        ("template", false, Value::is_boolean),
        ("protected", false, Value::is_boolean),
        ("assignable_by", false, is_texts),
        SETTINGS,
    ];
    fn is_source(it: &Value) -> bool {
        is_record(it, &[&STATEMENTS[..], &TEXTS, &SHARED].concat())
    }
    fn is_role(it: &Value) -> bool {
        let own: [Field; 3] = [
            ("includes", false, is_texts),
            ("unique", false, Value::is_boolean),
            ("demoted_to", false, is_text_or_null),
        ];
        is_record(it, &[&STATEMENTS[..], &TEXTS, &SHARED, &own].concat())
    }
    let sources: Shape = |it| is_map(it) && entries(it).all(|(_, it)| is_source(it));
    let roles: Shape = |it| is_map(it) && entries(it).all(|(_, it)| is_role(it));
    is_record(
        value,
        &[
            ("profiles", false, sources),
            ("roles", false, roles),
            ("approval_groups", false, sources),
        ],
    )
}
