//! The routes without a socket: the command line asks them in its own process, over a store that no daemon has open.
//!
//! The same code answers as over a socket, with one difference: nobody proves who he is. Whoever has opened the store with its
//! master key could do everything without asking, so the caller names the client that it acts as.

use super::route::Way;
use super::{Surface, app, table};
use crate::env::{Env, NoEntropy};
use crate::operations::Issuer;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

/// What answers the requests of this process.
pub struct Inside(Way);

impl Inside {
    /// Answers over `issuer`, and takes every request for one of the client `client_id`.
    ///
    /// # Errors
    /// [`NoEntropy`]: request ids begin with a random number.
    pub fn new(issuer: Issuer, env: Env, surface: Surface, client_id: &str) -> Result<Self, NoEntropy> {
        Ok(Self(table(&app(issuer, env, surface, Some(client_id.to_owned()))?)))
    }

    /// Returns the answer to a request.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let routes = TowerToHyperService::new(warp::service(self.0.clone()));
        let answered = match routes.call(request.map(Full::new)).await {
            Ok(answered) => answered,
            Err(never) => match never {},
        };
        let (head, body) = answered.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default(); // it is in memory and cannot fail
        Response::from_parts(head, body)
    }
}
