//! The set of revoked tokens.
