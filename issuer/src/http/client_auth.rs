//! Who is asking: HTTP Basic, the form's own members (RFC 6749 §2.3.1) or an assertion (RFC 7523), as a typed [`Client`].

use super::reply::{Malformed, Refusal};
use super::request::{Form, decode};
use super::{App, limit};
use crate::audit::Origin;
use crate::error::Error;
use crate::operations::Client;
use crate::telemetry::field;
use base64ct::{Base64, Encoding as _};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use token::assertion::Assertion;
use zeroize::Zeroizing;

struct Credentials {
    id: Zeroizing<String>,
    secret: Zeroizing<String>,
}

/// Returns the client that the `Authorization` field proves.
///
/// # Errors
/// [`Error::InvalidClient`] without credentials and for wrong ones; [`Malformed::Credentials`] for two fields.
pub(super) async fn by_header(app: &App, headers: &HeaderMap, origin: &Origin) -> Result<Client, Refusal> {
    if let Some(client) = operator(app, origin).await? {
        return Ok(client);
    }
    let credentials = from_header(headers)?.ok_or(Error::InvalidClient)?;
    prove(app, credentials, origin).await
}

/// Returns the client that the `Authorization` field or the form proves, by a secret or by an assertion, and takes its
/// members out of the form.
///
/// # Errors
/// As [`by_header`]; [`Malformed::Credentials`] when both carry credentials.
pub(super) async fn by_header_or_form(
    app: &App,
    headers: &HeaderMap,
    form: &mut Form,
    origin: &Origin,
) -> Result<Client, Refusal> {
    if let Some(client) = operator(app, origin).await? {
        return Ok(client);
    }
    let header = from_header(headers)?;
    let (id, secret) = (form.take("client_id"), form.take("client_secret"));
    if let Some(assertion) = assertion(form)? {
        if header.is_some() || secret.is_some() {
            return Err(twice("there are other credentials beside the client_assertion"));
        }
        let id = id.as_ref().map(|id| id.as_str());
        let named = Assertion::parse(assertion.as_bytes()).map(|said| said.client_id().to_owned());
        let claimed = named.unwrap_or_default(); // nobody has verified it yet, as with the name beside a secret
        limit::attempt(app, origin, &claimed)?;
        let proved = app.issuer.authenticate_by_assertion(id, &assertion, origin).await;
        return judged(app, origin, &claimed, proved);
    }
    let credentials = match (header, id, secret) {
        (Some(_), _, Some(_)) => return Err(twice("credentials are in the Authorization field and in the body")),
        (Some(header), Some(id), None) if *header.id != *id => {
            return Err(twice("the client_id in the body is not the one in the Authorization field"));
        }
        (Some(header), _, None) => header,
        (None, Some(id), Some(secret)) => Credentials { id, secret },
        (None, _, _) => return Err(Error::InvalidClient.into()),
    };
    prove(app, credentials, origin).await
}

/// Takes the assertion out of the form (RFC 7521 §4.2).
fn assertion(form: &mut Form) -> Result<Option<Zeroizing<String>>, Refusal> {
    const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"; // RFC 7523 §2.2
    match (form.take("client_assertion_type"), form.take("client_assertion")) {
        (None, None) => Ok(None),
        (Some(kind), Some(assertion)) if *kind == TYPE => Ok(Some(assertion)),
        (Some(_), Some(_)) => Err(Malformed::Member("client_assertion_type", "is not the one for JWTs").into()),
        (None, Some(_)) => Err(Malformed::Missing("client_assertion_type").into()),
        (Some(_), None) => Err(Malformed::Missing("client_assertion").into()),
    }
}

/// Returns the client that requests inside of this process are of; none over a socket.
async fn operator(app: &App, origin: &Origin) -> Result<Option<Client>, Refusal> {
    match &app.operator {
        Some(id) => Ok(Some(app.issuer.operator(id, origin).await?)),
        None => Ok(None),
    }
}

async fn prove(app: &App, credentials: Credentials, origin: &Origin) -> Result<Client, Refusal> {
    limit::attempt(app, origin, &credentials.id)?;
    let proved = app.issuer.authenticate(&credentials.id, &credentials.secret, origin).await;
    judged(app, origin, &credentials.id, proved)
}

/// Counts what came of an attempt to prove to be `client_id`.
fn judged(app: &App, origin: &Origin, client_id: &str, proved: Result<Client, Error>) -> Result<Client, Refusal> {
    if matches!(proved, Err(Error::InvalidClient)) {
        limit::failed(app, origin, client_id);
    }
    let client = proved?;
    limit::admit_client(app, client.id())?;
    Ok(told(client))
}

/// Lets the log of the request say who it is.
fn told(client: Client) -> Client {
    tracing::Span::current().record(field::CLIENT, client.id());
    client
}

/// Returns what the one `Authorization: Basic` field says (RFC 7617 §2); a field that says nothing of use proves nobody.
fn from_header(headers: &HeaderMap) -> Result<Option<Credentials>, Refusal> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = fields.next() else { return Ok(None) };
    if fields.next().is_some() {
        return Err(twice("there is more than one Authorization field"));
    }
    basic(value.as_bytes()).map(Some).ok_or_else(|| Error::InvalidClient.into())
}

fn basic(value: &[u8]) -> Option<Credentials> {
    let (scheme, encoded) = value.split_at_checked(b"basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let encoded = std::str::from_utf8(encoded).ok()?.trim_matches(' ');
    let decoded = Zeroizing::new(Base64::decode_vec(encoded).ok()?);
    let mut parts = decoded.splitn(2, |byte| *byte == b':');
    let id = decode(parts.next()?).ok()?;
    let secret = decode(parts.next()?).ok()?;
    Some(Credentials { id, secret })
}

fn twice(fault: &'static str) -> Refusal {
    Malformed::Credentials(fault).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<(String, String)> {
        basic(value.as_bytes()).map(|given| (given.id.as_str().to_owned(), given.secret.as_str().to_owned()))
    }

    fn header(credentials: &str) -> String {
        format!("Basic {}", Base64::encode_string(credentials.as_bytes()))
    }

    #[test]
    fn basic_credentials_are_form_urldecoded_after_base64() {
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(read(&header("admin:secret")), pair("admin", "secret"));
        assert_eq!(read(&header("a%3Ab:s+e%2Bc:ret")), pair("a:b", "s e+c:ret"));
        assert_eq!(read(&header("admin:secret").replace("Basic", "bAsIc")), pair("admin", "secret"));
        assert_eq!(read(&header(":")), pair("", ""));
    }

    #[test]
    fn a_field_that_is_not_basic_credentials_proves_nobody() {
        let texts = [
            "",
            "Basic",
            "Basic ",
            "Bearer abc",
            "Basic !!!!",
            "Basic YTpi=",
            "Basic YTpi YTpi",
            "BasicYTpi",
            "Basic YWJj",
            "Basic YTovw",
            "Basic /zo=",
            "Basic YTol",
        ];
        for text in texts {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
