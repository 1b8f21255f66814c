//! The pure state machine of one session.
