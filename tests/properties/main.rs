//! Properties of the token crate under generated input.
