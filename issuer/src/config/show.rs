//! The configuration in force, as the TOML file that would make it.

use super::{Config, ConfigError, Layer};
use std::path::Path;

/// Returns every setting with its value and where it comes from. Holds no secret: none is a setting.
///
/// # Errors
/// [`ConfigError`] as [`Config::load`] gives it: what cannot be used is not shown as if it could.
pub fn show(path: Option<&Path>, given: &Layer) -> Result<String, ConfigError> {
    Config::load(path, given)?;
    let file = match path {
        Some(path) => Layer::read(path)?,
        None => Layer::default(),
    };
    let sources = [(given, "flag or environment"), (&file, "file"), (&Layer::defaults(), "default")];
    let tables = sources.map(|(layer, source)| (toml::Table::try_from(layer).unwrap_or_default(), source));
    let mut text = String::new();
    for name in Layer::names() {
        let found = tables.iter().find_map(|(table, source)| table.get(&name).map(|value| (value, source)));
        text.push_str(&match found {
            Some((value, source)) => format!("{name} = {value} # {source}\n"),
            None => format!("# {name} is not set\n"),
        });
    }
    Ok(text)
}
