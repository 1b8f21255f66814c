//! What the three sources make of one another.

use super::tls::TlsTable;
use super::*;

fn parse(text: &str) -> Result<Layer, ConfigError> {
    Layer::parse(Path::new("countersign.toml"), text)
}

fn config(text: &str) -> Result<Config, ConfigError> {
    Config::try_from(parse(text)?.over(&Layer::defaults()))
}

#[test]
fn nothing_configured_is_a_configuration() {
    let config = Config::load(None, &Layer::default()).expect("defaults work");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.issuer, None);
    assert_eq!(config.tokens.access_ttl_seconds, 900);
    assert_eq!(config.limits.header, Duration::from_secs(5));
}

#[test]
fn every_setting_has_a_default_or_follows_another() {
    let shown = defaults();
    let without: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("# ")?.strip_suffix(" =")).collect();
    assert_eq!(
        without,
        [
            "issuer",
            "master_key_file",
            "max_followers",
            "new_master_key_file",
            "url",
            "password_file",
            "tls_root_file",
            "advertise",
            "advertise_root_file",
            "reset_url",
            "password_blocklist_file",
            "hash_at_once",
            "domain",
            "refresh_path",
            "metrics_listen",
            "otlp_endpoint",
            "otlp_ca_file",
            "otlp_headers_file",
            "certificate_file",
            "private_key_file"
        ]
    );
}

#[test]
fn what_is_given_wins_over_the_file_and_the_file_over_the_default() {
    let file = parse("access_ttl_seconds = 60\nretry_window_seconds = 10").expect("valid");
    let given = Layer { access_ttl_seconds: Some(61), ..Layer::default() };
    let merged = given.over(&file).over(&Layer::defaults());
    assert_eq!(
        (merged.access_ttl_seconds, merged.retry_window_seconds, merged.leeway_seconds),
        (Some(61), Some(10), Some(60))
    );
}

#[test]
fn a_layer_over_another_takes_every_setting_into_account() {
    let full = Layer {
        issuer: Some("https://a".into()),
        master_key_file: Some("k".into()),
        max_followers: Some(1),
        ..Layer::defaults()
    };
    let full = Layer {
        tls: TlsTable { certificate_file: Some("c".into()), private_key_file: Some("k".into()), ..full.tls.clone() },
        ..full
    };
    assert_eq!(Layer::default().over(&full), full);
    assert_eq!(full.over(&Layer::default()), full);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let error = parse("acess_ttl_seconds = 1").expect_err("unknown").to_string();
    assert_eq!(error, "countersign.toml: there is no setting `acess_ttl_seconds`; did you mean `access_ttl_seconds`?");
    let error = parse("zzz = 1").expect_err("unknown").to_string();
    assert_eq!(error, "countersign.toml: there is no setting `zzz`");
    let error = parse("[server]\nlisten = 1").expect_err("unknown").to_string();
    assert!(error.contains("there is no setting `server`"), "{error}");
    for (text, nearest) in [
        ("[connections]\nhead_byte = 1", "connections.head_bytes"),
        ("connections.haed_fields = 1", "connections.head_fields"),
        ("[conections]\nhead_bytes = 1", "connections"),
        ("connection.head_bytes = 1", "connections"),
    ] {
        let error = parse(text).expect_err("unknown").to_string();
        assert!(error.ends_with(&format!("did you mean `{nearest}`?")), "{error}");
    }
    assert!(parse("connections = 5").is_err(), "a table is no number");
    assert!(parse("[[connections]]\nhead_bytes = 1").is_err());
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_place() {
    let error = parse("leeway_seconds = 5\naccess_ttl_seconds = \"15m\"").expect_err("a string").to_string();
    assert!(error.contains("line 2"), "{error}");
    assert!(parse("access_ttl_seconds = 1.5").is_err());
    assert!(parse("access_ttl_seconds = -1").is_err());
    assert!(parse("listen = \"localhost\"").is_err());
    assert!(parse("algorithm = \"HS256\"").is_err());
}

#[test]
fn a_value_out_of_range_is_refused_by_all_three_names_of_its_setting() {
    let error = config("access_ttl_seconds = 0").expect_err("zero").to_string();
    assert_eq!(
        error,
        "access_ttl_seconds is 0 but must be from 1 to 86400 \
         (file: access_ttl_seconds, environment: COUNTERSIGN_ACCESS_TTL_SECONDS, flag: --access-ttl-seconds)"
    );
    for text in [
        "leeway_seconds = 61",
        "access_ttl_seconds = 901\nmax_access_ttl_seconds = 900",
        "refresh_ttl_seconds = 11\nsession_ttl_seconds = 10",
        "list_interval_seconds = 200",
        "max_connections = 10\nmax_followers = 10",
        "default_audience = \"\"",
        "log_level = \"issuer=loudly\"",
        "listen = \"0.0.0.0:8080\"",
        "issuer = \"http://id.example.com\"",
        "cors_origins = [\"https://app.example.com/\"]",
        "cors_origins = [\"*\"]",
        "cors_origins = [\"https://app.example.com:443\"]",
        "cors_origins = [\"http://app.example.com:80\"]",
        "trusted_proxies = [\"10.0.0.0/33\"]",
        "tls.certificate_file = \"cert.pem\"",
        "tls.private_key_file = \"key.pem\"",
        "rate_limits.token_per_second = 1000001",
        "users.reset_url = \"javascript:alert(1)\"",
        "users.reset_url = \"/reset\"",
        "users.reset_url = \"https://\"",
        "users.reset_url = \"https://user@app.example.com/\"",
    ] {
        assert!(matches!(config(text), Err(ConfigError::Setting { .. })), "{text}");
    }
}

#[test]
fn a_page_for_a_new_password_may_have_a_query_and_a_fragment() {
    for url in ["", "https://app.example.com/reset?lang=de#code", "http://localhost:3000/"] {
        assert!(config(&format!("users.reset_url = \"{url}\"")).is_ok(), "{url}");
    }
}

#[test]
fn followers_leave_connections_for_others() {
    let followers = |text: &str| config(text).expect("valid").max_followers;
    assert_eq!(followers(""), 10_000);
    assert_eq!([1, 2, 3, 7].map(|count| followers(&format!("max_connections = {count}"))), [0, 1, 2, 5]);
    assert_eq!(followers("max_connections = 10\nmax_followers = 9"), 9);
    assert_eq!(followers("max_followers = 0"), 0);
}

#[test]
fn the_variable_and_the_flag_of_a_setting_follow_from_its_name() {
    use clap::Args as _;
    for flag in Layer::augment_args(clap::Command::new("settings")).get_arguments() {
        let name = flag.get_id().as_str();
        assert_eq!(flag.get_long(), Some(name.replace(['_', '.'], "-").as_str()));
        let variable = format!("COUNTERSIGN_{}", name.to_ascii_uppercase().replace('.', "_"));
        assert_eq!(flag.get_env().and_then(|variable| variable.to_str()), Some(variable.as_str()));
        assert!(flag.get_help().is_some(), "{name} is documented");
    }
}

#[test]
fn what_is_shown_can_be_used_as_the_file() {
    let given = Layer { listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))), ..Layer::default() };
    let text = show(None, &given, |_| Source::Flag).expect("shown");
    assert!(text.contains("listen = \"127.0.0.1:0\" # flag\n"), "{text}");
    assert!(text.contains("\n[connections]\nhead_bytes = 16384 # default\n"), "{text}");
    assert!(text.contains("# issuer is not set\n"), "{text}");
    assert_eq!(parse(&text).expect("valid"), given.over(&Layer::defaults()));
}

#[test]
fn a_setting_of_a_table_is_given_by_the_file_and_checked_like_any_other() {
    assert_eq!(config("[connections]\nhead_fields = 100").expect("valid").limits.max_head_fields, 100);
    let error = config("connections.head_fields = 15").expect_err("too few").to_string();
    assert_eq!(
        error,
        "connections.head_fields is 15 but must be from 16 to 1000 (file: connections.head_fields, \
         environment: COUNTERSIGN_CONNECTIONS_HEAD_FIELDS, flag: --connections-head-fields)"
    );
}

#[test]
fn every_number_has_a_range_and_its_default_is_in_it() {
    let defaults = defaults();
    let numbers = defaults.lines().filter(|line| !line.starts_with('#'));
    let numbers = numbers.filter(|line| line.split_once(" = ").is_some_and(|(_, value)| value.parse::<u64>().is_ok()));
    let with_defaults = Layer::ranges().len() - 2; // followers follow another setting, hashings the machine
    assert_eq!(numbers.count(), with_defaults, "{defaults}");
    Layer::defaults().in_range().expect("in range");
}

#[test]
fn the_documented_settings_are_those_of_the_code() {
    let documented = include_str!("../../../docs/countersign.toml");
    assert!(documented == defaults(), "run `countersign config show --defaults > docs/countersign.toml`");
    assert_eq!(parse(documented).expect("valid"), Layer::defaults());
}
