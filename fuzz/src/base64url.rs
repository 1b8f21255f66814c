//! Our base64url against the crate `base64`: the same texts are taken, and to the same bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// # Panics
/// When the two differ, or a text is not the one text of its bytes.
pub fn judge(input: &[u8]) {
    let ours = token::base64url::decode(input).ok();
    assert_eq!(ours, URL_SAFE_NO_PAD.decode(input).ok());
    if let Some(bytes) = ours {
        assert_eq!(token::base64url::encode(&bytes).as_bytes(), input);
    }
    let text = token::base64url::encode(input);
    assert_eq!(text, URL_SAFE_NO_PAD.encode(input));
    assert_eq!(token::base64url::decode(text.as_bytes()).as_deref(), Ok(input));
}
