//! An answer, as it came over the wire.

use serde_json::Value;
use std::io::BufRead;

/// One HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Every field, with its name in lower case, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads one answer; its body ends where `Content-Length` says, or with the connection.
    ///
    /// # Errors
    /// The connection ended or failed before the answer was whole.
    pub fn read(stream: &mut impl BufRead, without_body: bool) -> std::io::Result<Self> {
        let mut reply = Self::read_head(stream)?;
        let length = reply.header("content-length").map(|length| length.parse::<usize>().map_err(|_| broken(length)));
        match length.transpose()? {
            _ if without_body || matches!(reply.status, 204 | 304) => {}
            Some(length) => {
                reply.body.resize(length, 0);
                stream.read_exact(&mut reply.body)?;
            }
            None => drop(stream.read_to_end(&mut reply.body)?),
        }
        Ok(reply)
    }

    /// Reads the head of one answer, and leaves its body to be read.
    pub(crate) fn read_head(stream: &mut impl BufRead) -> std::io::Result<Self> {
        let status = loop {
            let line = line(stream)?;
            let status: u16 =
                line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| broken(&line))?;
            if status >= 200 {
                break status;
            }
            while !self::line(stream)?.is_empty() {} // 100 Continue
        };
        let mut reply = Self { status, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = line(stream)?;
            let Some((name, value)) = line.split_once(':') else { break };
            reply.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Ok(reply)
    }

    /// Returns the first field of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body.escape_ascii()))
    }

    /// Returns the text at `member` of a JSON body; empty when it is not there.
    pub fn member(&self, member: &str) -> String {
        self.json().get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

fn line(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn broken(text: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, format!("not an HTTP answer: {}", text.escape_debug()))
}
