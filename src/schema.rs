//! JSON Schemas of the format, for editors and for programs in other languages.
//!
//! A host writes one beside its documents, whose `$schema` then names it:
//!
//! ```
//! # let directory = std::env::temp_dir().join("grantree-schema");
//! # std::fs::create_dir_all(&directory)?;
//! std::fs::write(directory.join("policy.schema.json"), grantree::schema::DOCUMENT)?;
//! let text = r#"{"$schema": "policy.schema.json", "format": 1, "catalogue": {}}"#;
//! # grantree::Policy::try_from(serde_json::from_str::<grantree::Document>(text)?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! They say of the form of a document all that a schema can say, and refuse nothing that the
//! reader takes, but for two spellings that nobody writes: the fields of a change as a list,
//! and `{"refuse": null}` for `"refuse"`. Names that do not resolve, duplicate keys and
//! dates that the calendar lacks are found by [`Policy::try_from`](crate::Policy) alone.
//! They are of draft 2020-12.

macro_rules! schema {
    ($definition:literal, $title:literal) => {
        concat!(
            "{\n\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n\"title\": \"",
            $title,
            "\",\n\"$ref\": \"#/$defs/",
            $definition,
            "\",\n\"$defs\": ",
            include_str!("schema/definitions.json"),
            "}\n",
        )
    };
}

/// The schema of a [`Document`](crate::Document).
pub const DOCUMENT: &str = schema!("document", "A policy of grantree");

/// The schema of a [`Change`](crate::change::Change).
pub const CHANGE: &str = schema!("change", "A change of a policy of grantree");

/// The schema of a [`TestDocument`](crate::policy_test::TestDocument). A step that expects
/// `invalid`, or an error, may have a malformed question.
pub const TEST_DOCUMENT: &str = schema!("test_document", "Tests of a policy of grantree");
