//! Reading fields of JSON values; absent lists and maps are empty.

use serde_json::Value;

/// The texts of a list.
pub fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.map(|item| item.as_str().expect("a text").to_owned()).collect()
}

/// A list of texts under a name.
pub fn list(value: &Value, name: &str) -> Vec<String> {
    texts(&value[name])
}

/// The values of a list under a name.
pub fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

/// The entries of a map.
pub fn entries(map: &Value) -> impl Iterator<Item = (&str, &Value)> {
    map.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// A text under a name, if there is one.
pub fn text(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().map(str::to_owned)
}

/// Returns `true` where a name stands for `true`.
pub fn is_true(value: &Value, name: &str) -> bool {
    value[name] == Value::Bool(true)
}
