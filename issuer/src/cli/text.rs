//! JSON answers as text that a person reads. Scripts ask for `--json`: how this looks may change.

use serde_json::Value;
use token::time::UnixTime;

/// Members that are seconds since 1970, besides those whose names end with `_at`.
const TIMES: [&str; 9] = ["at", "exp", "iat", "nbf", "auth_time", "since", "until", "effective_by", "expires"];

/// Returns each member of `object` on a line of its own; an object or list inside of it as JSON.
pub(super) fn lines(object: &Value) -> String {
    let members: Vec<(&String, &Value)> = object.as_object().into_iter().flatten().collect();
    let width = members.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    members.iter().map(|(name, value)| format!("{name:width$}  {}\n", cell(name, value))).collect()
}

/// Returns the members `columns` of each item as a row below their names; what an item does not have is `-`.
pub(super) fn table(columns: &[&str], items: &[Value]) -> String {
    if items.is_empty() {
        return "there are none\n".to_owned();
    }
    let mut rows: Vec<Vec<String>> = vec![columns.iter().map(|name| (*name).to_owned()).collect()];
    rows.extend(items.iter().map(|item| columns.iter().map(|name| cell(name, &item[*name])).collect()));
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns.len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Returns `text` so that a shell reads it as one word.
pub(super) fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/=@".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn cell(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => shown(text),
        Value::Number(number) if name.ends_with("_at") || TIMES.contains(&name) => {
            number.as_u64().and_then(UnixTime::from_secs).map_or_else(|| number.to_string(), date)
        }
        Value::Array(values) if values.iter().all(Value::is_string) => {
            let texts: Vec<String> = values.iter().filter_map(Value::as_str).map(shown).collect();
            texts.join(", ")
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => shown(&value.to_string()),
    }
}

/// Returns `text` without what a terminal would obey.
fn shown(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

/// Returns a time as RFC 3339 writes it, in UTC.
pub(super) fn date(time: UnixTime) -> String {
    let (days, second) = (time.as_secs() / 86_400, time.as_secs() % 86_400);
    // The Gregorian calendar repeats after 146,097 days, which are 400 years; a year that begins in March has its leap day last.
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn seconds_become_dates() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(date(UnixTime::from_secs(seconds).expect("a time")), expected);
        }
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let items = [json!({"id": "a", "created_at": 0}), json!({"id": "longer", "roles": ["x", "y"]})];
        let expected = "id      created_at            roles\na       1970-01-01T00:00:00Z  -\nlonger  -                     x, y\n";
        assert_eq!(table(&["id", "created_at", "roles"], &items), expected);
        assert_eq!(table(&["id"], &[]), "there are none\n");
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_printed() {
        assert_eq!(lines(&json!({"name": "a\u{1b}[2Jb\u{9b}c\n"})), "name  a\u{fffd}[2Jb\u{fffd}c\u{fffd}\n");
    }

    #[test]
    fn a_cursor_is_one_word_of_a_shell() {
        assert_eq!(quoted("abc-1"), "abc-1");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
