//! `[cookies]`: how browsers keep the tokens of a login, checked against what browsers accept.

use super::table::table;
use super::{ConfigError, needed};

table! {
    /// Cookies of logins.
    CookiesTable in "cookies." {
        /// Name of the cookie with the access token
        #[arg(id = "cookies.access_name", long = "cookies-access-name", env = "COUNTERSIGN_COOKIES_ACCESS_NAME", value_name = "NAME")]
        access_name: String = "__Host-access".to_owned();
        /// Name of the cookie with the refresh token
        #[arg(id = "cookies.refresh_name", long = "cookies-refresh-name", env = "COUNTERSIGN_COOKIES_REFRESH_NAME", value_name = "NAME")]
        refresh_name: String = "__Secure-refresh".to_owned(); // its path is not /, so it cannot be a __Host- cookie
        /// Name of the cookie with the CSRF token, which scripts read and send back as X-CSRF-Token
        #[arg(id = "cookies.csrf_name", long = "cookies-csrf-name", env = "COUNTERSIGN_COOKIES_CSRF_NAME", value_name = "NAME")]
        csrf_name: String = "__Host-csrf".to_owned();
        /// Name of the cookie by which a device is known that has logged in before
        #[arg(id = "cookies.device_name", long = "cookies-device-name", env = "COUNTERSIGN_COOKIES_DEVICE_NAME", value_name = "NAME")]
        device_name: String = "__Secure-device".to_owned();
        /// Domain whose hosts share the cookies; without one only the host that set them has them
        #[arg(id = "cookies.domain", long = "cookies-domain", env = "COUNTERSIGN_COOKIES_DOMAIN", value_name = "DOMAIN")]
        domain: String;
        /// Path of the cookies with the access and the CSRF token
        #[arg(id = "cookies.access_path", long = "cookies-access-path", env = "COUNTERSIGN_COOKIES_ACCESS_PATH", value_name = "PATH")]
        access_path: String = "/".to_owned();
        /// Path of the cookies with the refresh and the device token [default: that of the issuer, and /v1/session]
        #[arg(id = "cookies.refresh_path", long = "cookies-refresh-path", env = "COUNTERSIGN_COOKIES_REFRESH_PATH", value_name = "PATH")]
        refresh_path: String;
        /// SameSite of the access token: Lax, so that a link from elsewhere finds the user logged in, Strict or None
        #[arg(id = "cookies.access_same_site", long = "cookies-access-same-site", env = "COUNTERSIGN_COOKIES_ACCESS_SAME_SITE", value_name = "SAME_SITE")]
        access_same_site: SameSite = SameSite::Lax;
        /// SameSite of the refresh token
        #[arg(id = "cookies.refresh_same_site", long = "cookies-refresh-same-site", env = "COUNTERSIGN_COOKIES_REFRESH_SAME_SITE", value_name = "SAME_SITE")]
        refresh_same_site: SameSite = SameSite::Strict;
        /// What is asked of requests with cookies: that they come from pages of this origin or of cors_origins, and send the CSRF token
        #[arg(id = "cookies.csrf", long = "cookies-csrf", env = "COUNTERSIGN_COOKIES_CSRF", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
        csrf: bool = true;
        /// What a browser forgets of this site at logout besides these cookies (Clear-Site-Data): cache, storage, cookies, separated by commas
        #[arg(id = "cookies.clear_site_data", long = "cookies-clear-site-data", env = "COUNTERSIGN_COOKIES_CLEAR_SITE_DATA", value_delimiter = ',', value_name = "KINDS")]
        clear_site_data: Vec<String> = vec!["cache".to_owned(), "storage".to_owned()];
    }
}

/// With which requests from other sites a browser sends a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
pub enum SameSite {
    /// With none.
    #[value(name = "Strict")]
    Strict,
    /// With those that open a page.
    #[value(name = "Lax")]
    Lax,
    /// With all.
    #[value(name = "None")]
    None,
}

/// What a browser keeps of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteData {
    /// Answers.
    Cache,
    /// All cookies of the site, also those of others on its domain.
    Cookies,
    /// What scripts stored.
    Storage,
}

/// How browsers keep the tokens of a login: names, domain and paths that they accept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // each as in the table
pub struct Cookies {
    pub access_name: String,
    pub refresh_name: String,
    pub csrf_name: String,
    pub device_name: String,
    pub domain: Option<String>,
    pub access_path: String,
    /// None: `/v1/session` below the issuer's own path.
    pub refresh_path: Option<String>,
    pub access_same_site: SameSite,
    pub refresh_same_site: SameSite,
    pub csrf: bool,
    pub clear_site_data: Vec<SiteData>,
}

/// Returns the cookies that the table describes.
///
/// # Errors
/// [`ConfigError::Setting`] for what a browser would not keep (RFC 6265bis §4.1): a name or value of other characters, a prefix whose
/// conditions are not met, one name for two cookies.
pub(super) fn cookies(table: CookiesTable) -> Result<Cookies, ConfigError> {
    let domain = table.domain.filter(|domain| !domain.is_empty());
    let cookies = Cookies {
        access_name: needed("cookies.access_name", table.access_name)?,
        refresh_name: needed("cookies.refresh_name", table.refresh_name)?,
        csrf_name: needed("cookies.csrf_name", table.csrf_name)?,
        device_name: needed("cookies.device_name", table.device_name)?,
        access_path: needed("cookies.access_path", table.access_path)?,
        refresh_path: table.refresh_path,
        access_same_site: needed("cookies.access_same_site", table.access_same_site)?,
        refresh_same_site: needed("cookies.refresh_same_site", table.refresh_same_site)?,
        csrf: needed("cookies.csrf", table.csrf)?,
        clear_site_data: site_data(needed("cookies.clear_site_data", table.clear_site_data)?)?,
        domain,
    };
    check_domain(cookies.domain.as_deref())?;
    check_path("cookies.access_path", &cookies.access_path)?;
    let refresh_path = cookies.refresh_path.as_deref().unwrap_or("/v1/session");
    check_path("cookies.refresh_path", refresh_path)?;
    let names = [
        ("cookies.access_name", &cookies.access_name, cookies.access_path.as_str()),
        ("cookies.csrf_name", &cookies.csrf_name, cookies.access_path.as_str()),
        ("cookies.refresh_name", &cookies.refresh_name, refresh_path),
        ("cookies.device_name", &cookies.device_name, refresh_path),
    ];
    for (place, (setting, name, path)) in names.iter().enumerate() {
        check_name(setting, name, path, cookies.domain.is_some())?;
        if names.iter().take(place).any(|(_, other, _)| other.eq_ignore_ascii_case(name)) {
            return refused(setting, "is the name of another cookie too");
        }
    }
    Ok(cookies)
}

fn site_data(kinds: Vec<String>) -> Result<Vec<SiteData>, ConfigError> {
    let kind = |kind: String| match kind.as_str() {
        "cache" => Ok(SiteData::Cache),
        "cookies" => Ok(SiteData::Cookies),
        "storage" => Ok(SiteData::Storage),
        _ => refused("cookies.clear_site_data", "must hold cache, cookies and storage only"),
    };
    kinds.into_iter().filter(|kind| !kind.is_empty()).map(kind).collect() // an empty variable names none
}

/// A browser compares prefixes without case, and drops a cookie that does not keep what its prefix promises.
fn check_name(setting: &'static str, name: &str, path: &str, has_domain: bool) -> Result<(), ConfigError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_token) {
        return refused(setting, "must be 1 to 64 letters, digits and signs of a token (RFC 9110 §5.6.2)");
    }
    let begins = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if begins("__Host-") && has_domain {
        return refused(
            setting,
            "begins with __Host-, which no cookie with a domain may: take __Secure- or no cookies.domain",
        );
    }
    if begins("__Host-") && path != "/" {
        return refused(setting, "begins with __Host-, which only a cookie with the path / may: take __Secure-");
    }
    for prefix in ["__Host-", "__Secure-"] {
        if begins(prefix) && !name.starts_with(prefix) {
            return refused(setting, "must write its prefix as __Host- or __Secure-");
        }
    }
    Ok(())
}

fn check_path(setting: &'static str, path: &str) -> Result<(), ConfigError> {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b';';
    if path.starts_with('/') && path.len() <= 255 && path.bytes().all(fits) {
        return Ok(());
    }
    refused(setting, "must begin with / and hold no space and no semicolon")
}

fn check_domain(domain: Option<&str>) -> Result<(), ConfigError> {
    let Some(domain) = domain else { return Ok(()) };
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    if domain.len() <= 253 && domain.contains('.') && domain.bytes().all(fits) && !domain.starts_with(['.', '-']) {
        return Ok(());
    }
    refused("cookies.domain", "must be a domain such as example.com, in small letters, without a dot before it")
}

fn refused<T>(name: &'static str, reason: &str) -> Result<T, ConfigError> {
    Err(ConfigError::Setting { name, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Layer};
    use std::path::Path;

    fn read(text: &str) -> Result<Cookies, ConfigError> {
        let layer = Layer::parse(Path::new("countersign.toml"), text)?;
        Config::try_from(layer.over(&Layer::defaults())).map(|config| config.cookies)
    }

    #[test]
    fn the_defaults_keep_what_their_prefixes_promise() {
        let cookies = read("").expect("valid");
        assert_eq!((cookies.access_name.as_str(), cookies.access_path.as_str()), ("__Host-access", "/"));
        assert!(cookies.csrf && cookies.domain.is_none());
    }

    #[test]
    fn what_a_browser_would_drop_is_refused_at_the_start() {
        for (text, setting) in [
            ("domain = \"example.com\"", "cookies.access_name"),
            ("access_path = \"/app\"", "cookies.access_name"),
            ("refresh_name = \"__Host-refresh\"", "cookies.refresh_name"),
            ("refresh_name = \"__host-refresh\"", "cookies.refresh_name"),
            ("refresh_name = \"__SECURE-refresh\"", "cookies.refresh_name"),
            ("refresh_name = \"a b\"", "cookies.refresh_name"),
            ("refresh_name = \"\"", "cookies.refresh_name"),
            ("csrf_name = \"__Host-access\"", "cookies.csrf_name"),
            ("domain = \".example.com\"\naccess_name = \"a\"\ncsrf_name = \"b\"", "cookies.domain"),
            ("domain = \"com\"\naccess_name = \"a\"\ncsrf_name = \"b\"", "cookies.domain"),
            ("access_path = \"app\"", "cookies.access_path"),
            ("refresh_path = \"/a;b\"", "cookies.refresh_path"),
            ("clear_site_data = [\"everything\"]", "cookies.clear_site_data"),
        ] {
            match read(&format!("[cookies]\n{text}")) {
                Err(ConfigError::Setting { name, .. }) => assert_eq!(name, setting, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        let shared = "[cookies]\ndomain = \"example.com\"\naccess_name = \"__Secure-a\"\ncsrf_name = \"__Secure-c\"";
        assert_eq!(read(shared).expect("valid").domain.as_deref(), Some("example.com"));
        assert!(read("[cookies]\nrefresh_name = \"__Host-refresh\"\nrefresh_path = \"/\"").is_ok());
        assert!(read("[cookies]\naccess_same_site = \"Sometimes\"").is_err());
    }
}
