//! What one session does when requests come one at a time (docs/protocol.md §3).

/// What is asked of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// Its refresh token of this generation is presented, within the retry window.
    Present(u64),
    /// It is revoked.
    Revoke,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The pair of this generation.
    Pair(u64),
    /// `invalid_grant`.
    Refused,
    /// It is revoked, or was.
    Revoked,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    /// Generation of the newest refresh token.
    pub(crate) newest: u64,
    /// It is over.
    pub(crate) ended: bool,
}

impl Session {
    pub(crate) const BEGUN: Self = Self { newest: 1, ended: false };

    /// Returns the answer to a request, and the session after it.
    pub(crate) fn after(self, request: Request) -> (Answer, Self) {
        let over = Self { ended: true, ..self };
        match request {
            Request::Revoke => (Answer::Revoked, over),
            Request::Present(_) if self.ended => (Answer::Refused, self),
            Request::Present(generation) if generation == self.newest => {
                (Answer::Pair(generation + 1), Self { newest: generation + 1, ..self })
            }
            Request::Present(generation) if generation + 1 == self.newest => (Answer::Pair(self.newest), self),
            Request::Present(_) => (Answer::Refused, over),
        }
    }
}
