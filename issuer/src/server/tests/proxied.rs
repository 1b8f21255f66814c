//! Connections that begin with a PROXY header, from a proxy that is trusted and from one that is not.

use super::*;
use crate::server::Proxies;
use tokio::sync::watch;

const GET_PEER: &[u8] = b"GET /peer HTTP/1.0\r\n\r\n";

/// A server that reads PROXY headers of these proxies.
async fn behind(proxies: &[&str], limits: Limits) -> Running {
    let proxies: Vec<String> = proxies.iter().map(|proxy| (*proxy).to_owned()).collect();
    let proxies = watch::channel(Proxies::parse(&proxies).expect("networks")).1;
    Running::start_behind(Front { proxies, proxy_protocol: true, tls: None }, limits, routes()).await
}

#[tokio::test]
async fn a_trusted_proxy_tells_for_whom_it_opened_the_connection() {
    let server = behind(&["127.0.0.0/8"], patient()).await;
    let request = [b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n", GET_PEER].concat();
    assert!(until_closed(&mut server.send(&request).await).await.ends_with(b"\r\n\r\n192.0.2.1:4711"));
    let mut itself = server.send(&[b"PROXY UNKNOWN\r\n", GET_PEER].concat()).await;
    let local = itself.local_addr().expect("an address").to_string();
    assert!(until_closed(&mut itself).await.ends_with(local.as_bytes()));
}

#[tokio::test]
async fn a_trusted_proxy_that_sends_no_header_is_not_served() {
    let server = behind(&["127.0.0.1"], Limits { header: SHORT, ..patient() }).await;
    assert_eq!(until_closed(&mut server.send(GET_PEER).await).await, b"");
    assert_eq!(until_closed(&mut server.send(b"PROXY TCP4 19").await).await, b"", "nor one that does not go on");
    assert_eq!(until_closed(&mut server.connect().await).await, b"");
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let server = behind(&["192.0.2.0/24"], patient()).await;
    let mut direct = server.send(GET_PEER).await;
    let local = direct.local_addr().expect("an address").to_string();
    assert!(until_closed(&mut direct).await.ends_with(local.as_bytes()));
    let forged = [b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n", GET_PEER].concat();
    let received = until_closed(&mut server.send(&forged).await).await;
    assert!(received.starts_with(b"HTTP/1.1 400 "), "{}", received.escape_ascii());
}

#[tokio::test]
async fn the_cap_of_an_address_is_that_of_the_client_and_not_of_the_proxy() {
    let server = behind(&["127.0.0.1"], Limits { max_connections_per_address: 1, ..patient() }).await;
    let get = |source: &str| [format!("PROXY TCP4 {source} 10.0.0.1 1 2\r\n").as_bytes(), GET].concat();
    let mut first = server.send(&get("192.0.2.1")).await;
    answer(&mut first, b"small").await;
    assert_eq!(until_closed(&mut server.send(&get("192.0.2.1")).await).await, b"");
    let mut other = server.send(&get("192.0.2.2")).await;
    answer(&mut other, b"small").await;
    drop(first);
    let admitted = async {
        while !until_closed(
            &mut server
                .send(&[b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n", &b"GET /small HTTP/1.0\r\n\r\n"[..]].concat())
                .await,
        )
        .await
        .ends_with(b"small")
        {}
    };
    timeout(PATIENCE, admitted).await.expect("the place of the first is free again");
}
