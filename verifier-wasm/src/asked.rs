//! What is asked of every token, as pkg/src/bindings.js writes it down.
//!
//! ```text
//! *( what text 0xFF )     what: i issuer, a an audience, s a scope value; text: UTF-8, of which no byte is 0xFF
//! ```

use token::verify::Policy;

/// Adds to `policy` what `asked` says; whether that makes sense is for [`token::verify::Verifier::new`] to say.
pub(crate) fn of(asked: &[u8], policy: &mut Policy) {
    for entry in asked.split(|&byte| byte == 0xFF) {
        let Some((what, text)) = entry.split_first() else { continue };
        let text = String::from_utf8(text.to_vec()).unwrap_or_default(); // which is never asked for
        match what {
            b'i' => policy.issuer = Some(text),
            b'a' => policy.audience.get_or_insert_default().push(text),
            _ => policy.scope.push(text),
        }
    }
}
