//! The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): a proxy says in front of everything else for whom
//! it opened the connection. Read only from trusted proxies, who then must send it.
//!
//! ```text
//! v1   PROXY TCP4 <source> <destination> <port> <port>\r\n       or PROXY UNKNOWN …\r\n, at most 107 bytes
//! v2   0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A | 2x | family | length (2 bytes) | addresses | TLVs
//! ```

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The first bytes of version 2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, its end included.
const MAX_LINE: usize = 107;
/// The most that may follow the head of version 2: addresses, and TLVs, which are passed over.
const MAX_REST: usize = 1024;

/// Reads the header and not a byte more; returns for whom the proxy speaks, `None` when it speaks for itself.
///
/// # Errors
/// What was sent is no such header, or the connection ended in it.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<SocketAddr>> {
    let mut begun = [0; 12]; // shorter than any header of either version
    stream.read_exact(&mut begun).await?;
    if begun == SIGNATURE { version_2(stream).await } else { version_1(stream, &begun).await }
}

async fn version_1(stream: &mut (impl AsyncRead + Unpin), begun: &[u8]) -> std::io::Result<Option<SocketAddr>> {
    let mut line = begun.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= MAX_LINE || !line.starts_with(b"PROXY ") {
            return Err(broken());
        }
        line.push(stream.read_u8().await?);
    }
    let line = std::str::from_utf8(&line).map_err(|_| broken())?.trim_end_matches("\r\n");
    let mut words = line.split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        return Ok(None); // whatever follows is to be passed over
    }
    let words: Vec<&str> = words.collect();
    let [source, destination, port, destination_port] = words.as_slice() else { return Err(broken()) };
    let (source, destination): (IpAddr, IpAddr) =
        (source.parse().map_err(|_| broken())?, destination.parse().map_err(|_| broken())?);
    let of_family = match family {
        Some("TCP4") => source.is_ipv4() && destination.is_ipv4(),
        Some("TCP6") => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    let port: u16 = port.parse().map_err(|_| broken())?;
    destination_port.parse::<u16>().map_err(|_| broken())?;
    of_family.then(|| Some(SocketAddr::new(source, port))).ok_or_else(broken)
}

async fn version_2(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<SocketAddr>> {
    let (command, family) = (stream.read_u8().await?, stream.read_u8().await?);
    let length = usize::from(stream.read_u16().await?);
    if length > MAX_REST {
        return Err(broken());
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match (command, family) {
        (0x20, _) => Ok(None), // LOCAL: a health check of the proxy itself
        (0x21, 0x11) => v4(&rest).map(Some).ok_or_else(broken),
        (0x21, 0x21) => v6(&rest).map(Some).ok_or_else(broken),
        (0x21, 0x00) => Ok(None), // an unspecified family: the real address of the connection goes
        _ => Err(broken()),
    }
}

/// Source and destination address, 4 bytes each, source and destination port.
fn v4(rest: &[u8]) -> Option<SocketAddr> {
    let address: [u8; 4] = rest.get(..4)?.try_into().ok()?;
    let port: [u8; 2] = rest.get(8..10)?.try_into().ok()?;
    rest.get(10..12)?;
    Some(SocketAddr::new(Ipv4Addr::from(address).into(), u16::from_be_bytes(port)))
}

/// Source and destination address, 16 bytes each, source and destination port.
fn v6(rest: &[u8]) -> Option<SocketAddr> {
    let address: [u8; 16] = rest.get(..16)?.try_into().ok()?;
    let port: [u8; 2] = rest.get(32..34)?.try_into().ok()?;
    rest.get(34..36)?;
    Some(SocketAddr::new(Ipv6Addr::from(address).into(), u16::from_be_bytes(port)))
}

fn broken() -> Error {
    Error::new(ErrorKind::InvalidData, "not a PROXY header")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a header, and returns what is left of the bytes behind it.
    async fn parse(bytes: &[u8]) -> std::io::Result<(Option<String>, Vec<u8>)> {
        let mut stream = bytes;
        let source = read(&mut stream).await?;
        Ok((source.map(|source| source.to_string()), stream.to_vec()))
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    #[tokio::test]
    async fn both_versions_tell_the_source_and_leave_the_request_alone() {
        let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 0x1f, 0x90, 0, 80, 0xee, 0, 1, 0]; // with a TLV
        let v6 = [&Ipv6Addr::LOCALHOST.octets()[..], &[0; 16], &[0, 1, 0, 2]].concat();
        for (header, source) in [
            (b"PROXY TCP4 192.0.2.1 10.0.0.1 8080 80\r\n".to_vec(), Some("192.0.2.1:8080")),
            (b"PROXY TCP6 2001:db8::1 ::1 1 80\r\n".to_vec(), Some("[2001:db8::1]:1")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
            (v2(0x21, 0x11, &v4), Some("192.0.2.1:8080")),
            (v2(0x21, 0x21, &v6), Some("[::1]:1")),
            (v2(0x20, 0x00, b""), None),
            (v2(0x21, 0x00, b"anything"), None),
        ] {
            let bytes = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            let (read, left) = parse(&bytes).await.expect("a header");
            assert_eq!((read.as_deref(), left.as_slice()), (source, &b"GET / HTTP/1.1\r\n"[..]));
        }
    }

    #[tokio::test]
    async fn anything_else_is_an_error() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        for bytes in [
            b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 8080\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 8080 80 1\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::1 ::1 8080 80\r\n".to_vec(),
            b"PROXY TCP6 192.0.2.1 10.0.0.1 8080 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 80800 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.256 10.0.0.1 1 2\r\n".to_vec(),
            b"PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n".to_vec(),
            b"PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n".to_vec(),
            b"proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n".to_vec(),
            b"PROXY TCP4 19".to_vec(),
            long.into_bytes(),
            v2(0x11, 0x11, &[0; 12]),
            v2(0x22, 0x11, &[0; 12]),
            v2(0x21, 0x11, &[0; 11]),
            v2(0x21, 0x21, &[0; 35]),
            v2(0x21, 0x31, &[0; 216]),
            v2(0x21, 0x11, &[0; 1025]),
            SIGNATURE.to_vec(),
        ] {
            assert!(parse(&bytes).await.is_err(), "{}", bytes.escape_ascii());
        }
    }
}
