//! A validator for as much of JSON Schema as the schemas use: anything else makes it panic.

use serde_json::Value;

pub struct Validator {
    schema: Value,
}

impl Validator {
    pub fn new(text: &str) -> Validator {
        Validator { schema: serde_json::from_str(text).expect("a schema is JSON") }
    }

    pub fn accepts(&self, value: &Value) -> bool {
        self.fits(&self.schema, value)
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        match schema {
            Value::Bool(all) => *all,
            Value::Object(keywords) => {
                keywords.iter().all(|(keyword, of)| self.holds(schema, keyword, of, value))
            }
            _ => panic!("no schema: {schema}"),
        }
    }

    fn holds(&self, schema: &Value, keyword: &str, of: &Value, value: &Value) -> bool {
        let all = |of: &Value, fits: &dyn Fn(&Value) -> bool| {
            of.as_array().expect("a list").iter().filter(|it| fits(it)).count()
        };
        match keyword {
            "$schema" | "$defs" | "title" | "description" | "then" | "else" => true,
            "$ref" => {
                let pointer = of.as_str().and_then(|text| text.strip_prefix('#')).expect("local");
                let target = self.schema.pointer(pointer);
                self.fits(target.unwrap_or_else(|| panic!("no {pointer}")), value)
            }
            "type" => match of {
                Value::Array(types) => types.iter().any(|of| is_of(of, value)),
                one => is_of(one, value),
            },
            "const" => of == value,
            "enum" => all(of, &|one| one == value) > 0,
            "anyOf" => all(of, &|one| self.fits(one, value)) > 0,
            "oneOf" => all(of, &|one| self.fits(one, value)) == 1,
            "if" => {
                let branch = if self.fits(of, value) { "then" } else { "else" };
                schema.get(branch).is_none_or(|branch| self.fits(branch, value))
            }
            _ => match value {
                Value::Object(fields) => self.of_fields(schema, keyword, of, fields),
                Value::Array(items) => self.of_items(keyword, of, items),
                Value::String(text) => keyword != "pattern" || matches(of, text),
                Value::Number(number) => match keyword {
                    "minimum" => number.as_f64() >= of.as_f64(),
                    "maximum" => number.as_f64() <= of.as_f64(),
                    _ => known(keyword),
                },
                _ => known(keyword),
            },
        }
    }

    fn of_fields(
        &self,
        schema: &Value,
        keyword: &str,
        of: &Value,
        fields: &serde_json::Map<String, Value>,
    ) -> bool {
        match keyword {
            "required" => {
                let mut required = of.as_array().expect("a list").iter();
                required.all(|name| fields.contains_key(name.as_str().expect("a name")))
            }
            "properties" => fields
                .iter()
                .all(|(name, field)| of.get(name).is_none_or(|of| self.fits(of, field))),
            "additionalProperties" => fields.iter().all(|(name, field)| {
                let is_known = schema.get("properties").is_some_and(|it| it.get(name).is_some());
                is_known || self.fits(of, field)
            }),
            "propertyNames" => {
                fields.keys().all(|name| self.fits(of, &Value::String(name.clone())))
            }
            "minProperties" => fields.len() as u64 >= of.as_u64().expect("a number"),
            "maxProperties" => fields.len() as u64 <= of.as_u64().expect("a number"),
            _ => known(keyword),
        }
    }

    fn of_items(&self, keyword: &str, of: &Value, items: &[Value]) -> bool {
        match keyword {
            "items" => items.iter().all(|item| self.fits(of, item)),
            "minItems" => items.len() as u64 >= of.as_u64().expect("a number"),
            "maxItems" => items.len() as u64 <= of.as_u64().expect("a number"),
            "uniqueItems" => items.iter().enumerate().all(|(at, item)| !items[..at].contains(item)),
            _ => known(keyword),
        }
    }
}

fn is_of(of: &Value, value: &Value) -> bool {
    match of.as_str().expect("a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type: {other}"),
    }
}

/// Accepts a keyword for values of another type.
fn known(keyword: &str) -> bool {
    let known = [
        "required",
        "properties",
        "additionalProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "items",
        "minItems",
        "maxItems",
        "uniqueItems",
        "pattern",
        "minimum",
        "maximum",
    ];
    assert!(known.contains(&keyword), "unknown keyword {keyword}");
    true
}

/// Matches a text by one of the patterns that the schemas have.
fn matches(pattern: &Value, text: &str) -> bool {
    let is_date = |text: &str| {
        let is_digit = |(at, byte): (usize, u8)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        text.len() == 10 && text.bytes().enumerate().all(is_digit)
    };
    let is_time = |text: &str| {
        let parts: Vec<&str> = text.split(':').collect();
        let below = [24, 60, 60];
        (2..=3).contains(&parts.len())
            && parts.iter().zip(below).all(|(part, below)| {
                part.len() == 2
                    && part.bytes().all(|byte| byte.is_ascii_digit())
                    && part.parse::<u8>().is_ok_and(|number| number < below)
            })
    };
    match pattern.as_str().expect("a pattern") {
        r"^[A-Za-z0-9_-]+$" => {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            !text.is_empty() && text.bytes().all(fits)
        }
        r"^[^\u0000-\u001f\u007f-\u009f]+$" => !text.is_empty() && !text.contains(char::is_control),
        r"^\d{4}-\d{2}-\d{2}$" => is_date(text),
        r"^\d{4}-\d{2}-\d{2}(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)?$" => {
            match text.split_once('T') {
                Some((date, time)) => is_date(date) && is_time(time),
                None => is_date(text),
            }
        }
        other => panic!("no pattern: {other}"),
    }
}
