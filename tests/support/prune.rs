//! JSON documents without what is at some places.

use std::collections::BTreeSet;

use serde_json::Value;

/// Takes out what is at these places, of a value that is at that place.
pub fn prune(value: &mut Value, place: &str, places: &BTreeSet<&str>) {
    match value {
        Value::Object(map) => {
            let by_path = [".levels", ".bounds"].iter().any(|map| place.ends_with(map));
            let is_name =
                |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
            let join = |key: &str| match place {
                "" => key.to_owned(),
                place if by_path || is_name(key) => format!("{place}.{key}"),
                place => format!("{place}[{}]", Value::from(key)),
            };
            map.retain(|key, _| !places.contains(&*join(key)));
            map.iter_mut().for_each(|(key, value)| prune(value, &join(key), places));
        }
        Value::Array(list) => {
            let mut at = 0..;
            list.retain_mut(|value| {
                let place = format!("{place}[{}]", at.next().expect("a number"));
                prune(value, &place, places);
                !places.contains(&*place)
            });
        }
        _ => {}
    }
}
