//! Which endpoints lie at which path.
//!
//! Paths are compared byte for byte, so a proxy's rules on paths hold here too. Only a segment that a template names,
//! `{client_id}`, is decoded, and only after the path was cut at its slashes: `%2F` inside of it is a character like any other.

use super::App;
use super::exchange::{self, Endpoint, Exchange};
use super::reply::{Answer, Malformed, Refusal};
use super::request::decode_segment;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::path::FullPath;

/// A way to the endpoints of one path; it rejects a path that is not its own and nothing else.
pub(super) type Way = BoxedFilter<(Answer,)>;

/// A row of the route table.
pub(super) struct Row {
    pub(super) way: Way,
    /// What is there, for the test that holds the description of the surface against the table.
    #[cfg(test)]
    pub(super) offered: Vec<&'static Endpoint>,
}

/// What is done for one method at a path. `T` is what the path says besides being this one.
pub(super) struct Method<T> {
    endpoint: &'static Endpoint,
    handle: Arc<Handler<T>>,
}

type Handler<T> = dyn Fn(Arc<App>, Exchange, T) -> Handled + Send + Sync;
type Handled = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// The decoded segments that a template names, in the order of the path, or why one of them is none.
type Segments<const N: usize> = Result<[String; N], Malformed>;

/// Returns one method of a [`resource`], whose handler gets the segments that the template of `endpoint` names.
pub(super) fn on<const N: usize, H, F>(endpoint: &'static Endpoint, handle: H) -> Method<Segments<N>>
where
    H: Fn(Arc<App>, Exchange, [String; N]) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    method(endpoint, move |app, exchange, segments: Segments<N>| {
        let handle = handle.clone();
        async move { handle(app, exchange, segments?).await }
    })
}

/// Answers every path of one template, `/v1/clients/{client_id}`, with as many methods as it has. They share one route,
/// one dialect and one rule of CORS; the template names `N` segments.
pub(super) fn resource<const N: usize>(app: &Arc<App>, methods: Vec<Method<Segments<N>>>) -> Row {
    let template = methods.first().map_or("", |method| method.endpoint.route);
    answered(app, move |path| segments(template, path), methods)
}

/// Answers the path that is `endpoint`'s route.
pub(super) fn row<H, F>(app: &Arc<App>, endpoint: &'static Endpoint, handle: H) -> Row
where
    H: Fn(Arc<App>, Exchange) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    let varying = move |path: &str| (path == endpoint.route).then_some(());
    answered(app, varying, vec![method(endpoint, move |app, exchange, ()| handle(app, exchange))])
}

/// Answers every path that begins with `prefix`; `handle` gets what follows it, as sent.
pub(super) fn row_below<H, F>(app: &Arc<App>, prefix: &'static str, endpoint: &'static Endpoint, handle: H) -> Row
where
    H: Fn(Arc<App>, Exchange, String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    answered(app, move |path| path.strip_prefix(prefix).map(str::to_owned), vec![method(endpoint, handle)])
}

fn method<T, H, F>(endpoint: &'static Endpoint, handle: H) -> Method<T>
where
    H: Fn(Arc<App>, Exchange, T) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Answer, Refusal>> + Send + 'static,
{
    Method { endpoint, handle: Arc::new(move |app, exchange, varying| Box::pin(handle(app, exchange, varying))) }
}

fn answered<T, V>(app: &Arc<App>, varying: V, methods: Vec<Method<T>>) -> Row
where
    T: Send + 'static,
    V: Fn(&str) -> Option<T> + Clone + Send + Sync + 'static,
{
    let path = warp::path::full().and_then(move |path: FullPath| {
        let varying = varying(path.as_str());
        async move { varying.ok_or_else(warp::reject::not_found) }
    });
    #[cfg(test)]
    let offered = methods.iter().map(|method| method.endpoint).collect();
    let (app, methods) = (Arc::clone(app), Arc::new(methods));
    let answer = move |varying, exchange| {
        let (app, methods) = (Arc::clone(&app), Arc::clone(&methods));
        async move {
            let offered: Vec<&'static Endpoint> = methods.iter().map(|method| method.endpoint).collect();
            let handlers = methods.iter().map(|method| Arc::clone(&method.handle)).collect::<Vec<_>>();
            let asked = Arc::clone(&app);
            exchange::answer(app, &offered, exchange, |chosen, exchange| async move {
                let handle = handlers.into_iter().nth(chosen).ok_or(Malformed::MethodNotAllowed)?;
                handle(asked, exchange, varying).await
            })
            .await
        }
    };
    Row {
        #[cfg(test)]
        offered,
        way: path.and(exchange::extract()).then(answer).boxed(),
    }
}

/// Returns the segments that `template` names; `None` for a path that is not of this template.
fn segments<const N: usize>(template: &str, path: &str) -> Option<Segments<N>> {
    let (mut sent, mut named) = (path.split('/'), Vec::with_capacity(N));
    for expected in template.split('/') {
        let sent = sent.next()?;
        if expected.starts_with('{') && !sent.is_empty() {
            named.push(sent);
        } else if expected != sent {
            return None;
        }
    }
    if sent.next().is_some() {
        return None;
    }
    let decoded: Result<Vec<String>, Malformed> = named.into_iter().map(decode_segment).collect();
    match decoded.map(<[String; N]>::try_from) {
        Ok(Ok(segments)) => Some(Ok(segments)),
        Ok(Err(_)) => None, // the template names another number: the route table is wrong, and its endpoint is not there
        Err(fault) => Some(Err(fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<Segments<1>> {
        segments("/v1/clients/{client_id}", path)
    }

    #[test]
    fn a_segment_is_decoded_after_the_path_was_cut() {
        for (path, named) in [
            ("/v1/clients/a", "a"),
            ("/v1/clients/a%2Fb", "a/b"),
            ("/v1/clients/a%2fsecrets", "a/secrets"),
            ("/v1/clients/a+b%20c", "a+b c"),
            ("/v1/clients/%2E%2E", ".."),
            ("/v1/clients/%C3%BC", "\u{fc}"),
            ("/v1/clients/%257B", "%7B"),
        ] {
            assert_eq!(of(path), Some(Ok([named.to_owned()])), "{path}");
        }
        let longest = "a".repeat(255);
        assert_eq!(of(&format!("/v1/clients/{longest}")), Some(Ok([longest])));
    }

    #[test]
    fn another_path_is_not_of_the_template() {
        for path in [
            "",
            "/",
            "/v1/clients",
            "/v1/clients/",
            "/v1/clients//",
            "/v1/clients/a/",
            "/v1/clients/a/b",
            "/v1//clients/a",
            "//v1/clients/a",
            "/V1/clients/a",
            "/v1/client%73/a",
            "v1/clients/a",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn a_segment_that_is_no_text_is_refused() {
        let long = "a".repeat(256);
        for segment in ["%", "%4", "%zz", "%ff", "%c0%af", "%ed%a0%80", "%00", "a%0Ab", "%7f", "%C2%85", long.as_str()]
        {
            assert_eq!(of(&format!("/v1/clients/{segment}")), Some(Err(Malformed::Path)), "{segment}");
        }
    }

    #[test]
    fn as_many_segments_are_named_as_the_handler_takes() {
        let two = segments::<2>("/v1/clients/{client_id}/secrets/{secret}", "/v1/clients/a/secrets/b");
        assert_eq!(two, Some(Ok(["a".to_owned(), "b".to_owned()])));
        assert_eq!(segments::<0>("/v1/clients", "/v1/clients"), Some(Ok([])));
        assert_eq!(segments::<1>("/v1/clients", "/v1/clients"), None);
        assert_eq!(of("/v1/clients/{client_id}"), Some(Ok(["{client_id}".to_owned()])));
    }
}
