//! `iss` and `aud`: compared whole, byte by byte (RFC 7519 §4.1.1, §4.1.3), and asked for unless given up on purpose.

use crate::forge::{Draft, FOREIGN_KEY, ISSUER, quoted};
use crate::verdict::{Audience, Case, accepted, claim};
use crate::world::OTHER_ISSUER;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = issuers();
    cases.extend(audiences());
    cases.extend(asked());
    cases
}

fn issuers() -> Vec<Case> {
    let variants = [
        "https://issuer.exampl".to_owned(),
        "https://issuer.example.attacker.example".to_owned(),
        format!("{ISSUER}/"),
        format!("{ISSUER}:443"),
        format!("{ISSUER}?"),
        format!("{ISSUER}#"),
        format!("{ISSUER} "),
        format!(" {ISSUER}"),
        format!("{ISSUER}\0"),
        format!("{ISSUER}\n"),
        format!("{ISSUER},{OTHER_ISSUER}"),
        ISSUER.to_uppercase(),
        "https://Issuer.example".to_owned(),
        "HTTPS://issuer.example".to_owned(),
        "http://issuer.example".to_owned(),
        "issuer.example".to_owned(),
        "//issuer.example".to_owned(),
        "https://user@issuer.example".to_owned(),
        "https://issuer.example.".to_owned(),
        "https://\u{456}ssuer.example".to_owned(),
        "https://issuer\u{3002}example".to_owned(),
        "https://issuer.example\u{200b}".to_owned(),
        "https://attacker.example".to_owned(),
        "https".to_owned(),
        "*".to_owned(),
        ".*".to_owned(),
        OTHER_ISSUER.to_owned(),
    ];
    let mut cases: Vec<Case> = variants
        .into_iter()
        .map(|issuer| {
            let token = Draft::new().claim("iss", &quoted(&issuer)).token();
            Case::new(format!("iss {issuer:?} is not our issuer"), token, claim("iss", "check_failed"))
        })
        .collect();
    cases.push(
        Case::new(
            "an issuer asked for with a slash at the end is another one",
            Draft::new().token(),
            claim("iss", "check_failed"),
        )
        .with(|options| options.issuer = Some(format!("{ISSUER}/")))
        .without_revocations(),
    );
    cases
}

fn audiences() -> Vec<Case> {
    let wrong = [
        "\"ap\"",
        "\"apis\"",
        "\"API\"",
        "\"Api\"",
        "\"api \"",
        "\" api\"",
        "\"api\\u0000\"",
        "\"api,web\"",
        "\"web api\"",
        "\"\u{430}pi\"",
        "\"https://api\"",
        "\"*\"",
        "\"a\"",
        "\".*\"",
        "\"backend\"",
        "[\"ap\",\"i\"]",
        "[\"API\"]",
        "[\"web\"]",
        "[\"web\",\"billing\"]",
        "[\"api/\"]",
        "[\"api web\"]",
        "[\"[\\\"api\\\"]\"]",
        "[\"__proto__\"]",
        "\"https://issuer.example\"",
    ];
    let mut cases: Vec<Case> = wrong
        .into_iter()
        .map(|value| {
            let token = Draft::new().claim("aud", value).token();
            Case::new(format!("aud {value} is not our audience"), token, claim("aud", "check_failed"))
        })
        .collect();
    let long: Vec<String> = (0..500).map(|at| format!("\"a{at}\"")).collect();
    let value = format!("[{}]", long.join(","));
    cases.push(Case::new(
        "500 audiences without ours are refused",
        Draft::new().claim("aud", &value).token(),
        claim("aud", "check_failed"),
    ));
    let value = format!("[{},\"api\"]", long.join(","));
    cases.push(Case::new("500 audiences and ours are accepted", Draft::new().claim("aud", &value).token(), accepted()));
    cases
}

fn asked() -> Vec<Case> {
    let refused = |name: &str, value: &str, audience: Audience| {
        Case::new(name, Draft::new().claim("aud", value).token(), claim("aud", "check_failed"))
            .with(|options| options.audience = Some(audience))
    };
    let several = |names: &[&str]| Audience::Several(names.iter().map(|name| (*name).to_owned()).collect());
    let foreign =
        |key: u8| Draft::new().header("kid", "\"2024-01\"").signed_by(key).claim("iss", &quoted(OTHER_ISSUER));
    vec![
        refused("a token for none of several audiences is refused", "\"web\"", several(&["api", "billing"])),
        refused("two audiences asked for do not join into one", "\"apibilling\"", several(&["api", "billing"])),
        refused(
            "an audience asked for with a comma is one audience",
            "\"api\"",
            Audience::One("api,billing".to_owned()),
        ),
        refused("a pattern asked for is one audience", "\"api\"", Audience::One("a*".to_owned())),
        Case::new(
            "another issuer's good token is not ours",
            foreign(FOREIGN_KEY).token(),
            claim("iss", "check_failed"),
        )
        .keys("foreign")
        .without_revocations(),
        Case::new(
            "where any issuer is taken a list still speaks for one alone",
            Draft::new().token(),
            claim("iss", "check_failed"),
        )
        .with(|options| options.issuer = None)
        .list("of the other issuer"),
        Case::new(
            "where any issuer is taken the issuer of the list is",
            Draft::new().claim("iss", &quoted(OTHER_ISSUER)).token(),
            accepted(),
        )
        .with(|options| options.issuer = None)
        .list("of the other issuer"),
        Case::new(
            "where any audience is taken there must still be one",
            Draft::new().without_claim("aud").token(),
            claim("aud", "missing"),
        )
        .with(|options| options.audience = None),
        Case::new(
            "where any issuer is taken there must still be one",
            Draft::new().without_claim("iss").token(),
            claim("iss", "missing"),
        )
        .with(|options| options.issuer = None),
    ]
}
