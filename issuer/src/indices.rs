//! Indices inside expiry epochs, handed out once each.
