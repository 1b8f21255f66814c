//! Settings as the TOML file that would make them: those in force, or all defaults with what each setting is.

use super::reloading::reloads;
use super::{Config, ConfigError, Layer};
use clap::{Arg, Args as _, Command};
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A flag.
    Flag,
    /// A variable of the environment.
    Environment,
    /// The file.
    File,
    /// Nobody has set it.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        })
    }
}

/// Returns every setting with its value and where it comes from; `source` tells flags from variables by the setting's name.
/// Holds no secret: none is a setting.
///
/// # Errors
/// [`ConfigError`] as [`Config::load`] gives it: what cannot be used is not shown as if it could.
pub fn show(path: Option<&Path>, given: &Layer, source: impl Fn(&str) -> Source) -> Result<String, ConfigError> {
    Config::load(path, given)?;
    let file = match path {
        Some(path) => Layer::read(path)?,
        None => Layer::default(),
    };
    let layers = [
        (values(given), None),
        (values(&file), Some(Source::File)),
        (values(&Layer::defaults()), Some(Source::Default)),
    ];
    Ok(tables(&settings(), |setting| {
        let name = setting.get_id().as_str();
        let key = key(name);
        let found = layers.iter().find_map(|(values, origin)| values.get(name).map(|value| (value, origin)));
        match found {
            Some((value, origin)) => format!("{key} = {value} # {}\n", origin.unwrap_or_else(|| source(name))),
            None => format!("# {key} is not set\n"),
        }
    }))
}

/// Returns every setting as a comment and its default: what it is, its unit, its range and its other names.
pub fn defaults() -> String {
    let values = values(&Layer::defaults());
    let ranges: HashMap<_, _> = Layer::ranges().into_iter().collect();
    let text = tables(&settings(), |setting| {
        let name = setting.get_id().as_str();
        let about = setting.get_help().map(ToString::to_string).unwrap_or_default();
        let unit = setting.get_value_names().and_then(<[_]>::first).map(ToString::to_string).unwrap_or_default();
        let choices: Vec<String> =
            setting.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        let allowed = match ranges.get(name) {
            Some(range) => format!(" from {} to {}", range.start(), range.end()),
            None if choices.is_empty() => String::new(),
            None => format!(": {}", choices.join(", ")),
        };
        let variable = setting.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let flag = setting.get_long().unwrap_or_default();
        let value = match values.get(name) {
            Some(value) => format!("{} = {value}", key(name)),
            None => format!("# {} =", key(name)),
        };
        let when = if reloads(name) { "; read again on SIGHUP" } else { "" };
        format!("# {about}\n# {unit}{allowed} ({variable}, --{flag}){when}\n{value}\n\n")
    });
    format!("{HEAD}\n{}\n", text.trim_end())
}

/// What stands above the defaults.
const HEAD: &str = "\
# Every setting of countersign with its default; `countersign config show --defaults` prints this file.
# A flag wins over the environment, the environment over the file, the file over the default.
";

/// Writes what `line` makes of each setting, below the head of its table.
fn tables(settings: &Command, line: impl Fn(&Arg) -> String) -> String {
    let (mut text, mut current) = (String::new(), String::new());
    for setting in settings.get_arguments() {
        let table = setting.get_id().as_str().split_once('.').map_or("", |(table, _)| table);
        if table != current {
            current = table.to_owned();
            text.push_str(&format!("\n[{table}]\n"));
        }
        text.push_str(&line(setting));
    }
    text
}

pub(super) fn settings() -> Command {
    Layer::augment_args(Command::new("settings"))
}

/// The name of a setting inside of its table.
fn key(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, key)| key)
}

/// Returns what is set in a layer, by the full names of the settings.
pub(super) fn values(layer: &Layer) -> HashMap<String, toml::Value> {
    let mut values = HashMap::new();
    for (key, value) in toml::Table::try_from(layer).unwrap_or_default() {
        match value {
            toml::Value::Table(inner) => {
                values.extend(inner.into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            value => drop(values.insert(key, value)),
        }
    }
    values
}
