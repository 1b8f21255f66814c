//! One request over a connection of its own, in the clear or over TLS.

use super::Url;
use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// What a proxy says that speaks for nobody (proxy-protocol.txt, section 2.1).
const FOR_ITSELF: &[u8] = b"PROXY UNKNOWN\r\n";

/// Sends `request` to where `url` is and returns the answer when its head is there. The waits are for the caller to bound.
///
/// # Errors
/// Why there is no answer, for a person.
pub(super) async fn send(
    url: &Url,
    tls: Option<&TlsConnector>,
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, String> {
    let fields = request.headers_mut();
    fields.insert(HOST, HeaderValue::from_str(url.authority()).map_err(|error| error.to_string())?);
    fields.insert(USER_AGENT, HeaderValue::from_static(concat!("countersign/", env!("CARGO_PKG_VERSION"))));
    let mut stream = TcpStream::connect((url.host(), url.port())).await.map_err(|error| error.to_string())?;
    if url.expects_proxy() {
        stream.write_all(FOR_ITSELF).await.map_err(|error| error.to_string())?;
    }
    let (Some(name), Some(tls)) = (url.tls_name(), tls) else { return exchange(stream, request).await };
    let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
    let stream = tls.connect(name, stream).await.map_err(|error| error.to_string())?;
    exchange(stream, request).await
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    drop(tokio::spawn(connection)); // it ends with the body, or with the process
    sender.send_request(request).await.map_err(|error| error.to_string())
}
