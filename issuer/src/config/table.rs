//! How settings are declared: one line tells name, type, default and range, and everything else follows from it.
//!
//! ```text
//! table! {
//!     /// What the table is about.
//!     UsersTable in "users." {
//!         /// One line for --help and for docs/countersign.toml
//!         #[arg(id = "users.enabled", long = "users-enabled", env = "COUNTERSIGN_USERS_ENABLED", value_name = "BOOL")]
//!         enabled: bool = false;
//!         …
//!         idle_seconds: u64 = 60, 1..=3600;      with the range that is allowed
//!         file: PathBuf;                         without a default
//!     }
//! }
//! ```
//!
//! To add a table: a file beside this one with such a declaration and the checked type it becomes, one line under `tables`
//! in [`super::Layer`], a field of [`super::Config`], and `docs/countersign.toml` written again.

/// Declares a struct of settings from one source, in which what is not set is `None`; with `defaults`, `over`, `ranges`
/// and `in_range`. A type with a range must be `u64`.
macro_rules! table {
    (
        $(#[$about:meta])*
        $name:ident in $prefix:literal {
            $($(#[$meta:meta])* $field:ident: $type:ty $(= $default:expr)? $(, $range:expr)?;)*
        }
        $(tables {
            $($(#[$table_meta:meta])* $table:ident: $inner:ty;)*
        })?
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$meta])* pub $field: Option<$type>,)*
            $($(
                $(#[$table_meta])*
                #[command(flatten, next_help_heading = concat!("Settings of [", stringify!($table), "]"))]
                pub $table: $inner,
            )*)?
        }

        impl $name {
            /// Returns the value of each setting that nobody has set.
            pub fn defaults() -> Self {
                Self {
                    $($field: $crate::config::table::table!(@default $($default)?),)*
                    $($($table: <$inner>::defaults(),)*)?
                }
            }

            /// Returns these settings, and those of `below` where these have none.
            #[must_use]
            pub fn over(&self, below: &Self) -> Self {
                Self {
                    $($field: self.$field.clone().or_else(|| below.$field.clone()),)*
                    $($($table: self.$table.over(&below.$table),)*)?
                }
            }

            /// Returns the range of each setting that has one.
            pub(in $crate::config) fn ranges() -> Vec<(&'static str, std::ops::RangeInclusive<u64>)> {
                #[allow(unused_mut)] // a table may have no tables in it
                let mut ranges = vec![$($((concat!($prefix, stringify!($field)), $range),)?)*];
                $($(ranges.extend(<$inner>::ranges());)*)?
                ranges
            }

            /// Checks each setting that has a range and is set.
            pub(in $crate::config) fn in_range(&self) -> Result<(), $crate::config::ConfigError> {
                $($($crate::config::within(concat!($prefix, stringify!($field)), self.$field, $range)?;)?)*
                $($(self.$table.in_range()?;)*)?
                Ok(())
            }
        }
    };
    (@default) => { None };
    (@default $default:expr) => { Some($default) };
}

pub(in crate::config) use table;
