//! Settings as JSON, for scripts.

use super::show::{settings, values};
use super::{Config, ConfigError, Layer, Source};
use clap::Arg;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// Returns every setting with its value and where it comes from, as [`super::show()`] does: `[{name, value, source}]`.
///
/// # Errors
/// As [`super::show()`].
pub fn in_force(path: Option<&Path>, given: &Layer, source: impl Fn(&str) -> Source) -> Result<Value, ConfigError> {
    Config::load(path, given)?;
    let file = path.map(Layer::read).transpose()?.unwrap_or_default();
    let (given, file, defaults) = (values(given), values(&file), values(&Layer::defaults()));
    let one = |setting: &Arg| {
        let name = setting.get_id().as_str();
        let found = [(&given, source(name)), (&file, Source::File), (&defaults, Source::Default)];
        match found.into_iter().find_map(|(values, source)| values.get(name).map(|value| (value, source))) {
            Some((value, source)) => json!({"name": name, "value": value, "source": source.to_string()}),
            None => json!({"name": name, "value": null}),
        }
    };
    Ok(settings().get_arguments().map(one).collect())
}

/// Returns what every setting is: `[{name, about, unit, default, minimum, maximum, choices, variable, flag}]`.
pub fn described() -> Value {
    let (defaults, ranges) = (values(&Layer::defaults()), Layer::ranges().into_iter().collect::<HashMap<_, _>>());
    let one = |setting: &Arg| {
        let name = setting.get_id().as_str();
        let range = ranges.get(name);
        let choices = setting.get_possible_values();
        let choices: Vec<&str> = choices.iter().map(clap::builder::PossibleValue::get_name).collect();
        json!({
            "name": name,
            "about": setting.get_help().map(ToString::to_string),
            "unit": setting.get_value_names().and_then(<[_]>::first).map(ToString::to_string),
            "default": defaults.get(name),
            "minimum": range.map(|range| *range.start()),
            "maximum": range.map(|range| *range.end()),
            "choices": choices,
            "variable": setting.get_env().map(|name| name.to_string_lossy()),
            "flag": setting.get_long().map(|flag| format!("--{flag}")),
        })
    };
    settings().get_arguments().map(one).collect()
}
