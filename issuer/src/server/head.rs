//! Heads of requests that hyper lets pass and HTTP does not: they get an answer like any other request, from the routes.

use http::header::HOST;
use http::{Request, Uri, Version};

/// What is wrong with the head of a request, as an extension of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadHead(pub &'static str);

/// Notes what is wrong. A target without a path, as of `CONNECT`, becomes `*`: routes take it that there is one.
pub(super) fn check<B>(request: &mut Request<B>) {
    let hosts = request.headers().get_all(HOST).iter().count();
    let needed = usize::from(request.version() == Version::HTTP_11); // RFC 9112 §3.2
    let fault = if request.uri().path_and_query().is_none() {
        *request.uri_mut() = Uri::from_static("*");
        "the target is not a path"
    } else if !(needed..=1).contains(&hosts) {
        "there must be one Host field"
    } else {
        return;
    };
    request.extensions_mut().insert(BadHead(fault));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(version: Version, target: &str, hosts: &[&str]) -> (Option<&'static str>, String) {
        let request = Request::builder().version(version).uri(target);
        let request = hosts.iter().fold(request, |request, host| request.header(HOST, *host));
        let mut request = request.body(()).expect("valid");
        check(&mut request);
        let fault = request.extensions().get::<BadHead>().map(|BadHead(fault)| *fault);
        (fault, request.uri().path().to_owned())
    }

    #[test]
    fn what_has_a_path_and_says_for_whom_it_is_passes_as_it_is() {
        for (version, hosts) in [
            (Version::HTTP_11, &["a"][..]),
            (Version::HTTP_10, &[]),
            (Version::HTTP_10, &["a"]),
            (Version::HTTP_2, &[]),
        ] {
            assert_eq!(fault(version, "/healthz", hosts), (None, "/healthz".to_owned()));
            assert_eq!(fault(version, "http://a/healthz", hosts), (None, "/healthz".to_owned()));
            assert_eq!(fault(version, "*", hosts), (None, "*".to_owned()));
        }
    }

    #[test]
    fn a_target_without_a_path_and_a_missing_or_second_host_are_told() {
        for target in ["a:1", "foo"] {
            let told = fault(Version::HTTP_11, target, &["a"]);
            assert_eq!(told, (Some("the target is not a path"), "*".to_owned()), "{target}");
        }
        for (version, hosts) in
            [(Version::HTTP_11, &[][..]), (Version::HTTP_11, &["a", "a"]), (Version::HTTP_2, &["a", "b"])]
        {
            assert_eq!(fault(version, "/", hosts), (Some("there must be one Host field"), "/".to_owned()));
        }
    }
}
