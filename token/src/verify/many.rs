//! Several tokens judged at once.

use super::{Judged, Scope, Scratch, Verifier};
use crate::error::Rejection;
use crate::time::UnixTime;

impl Verifier {
    /// Judges `tokens` and hands each verdict to `each`, in order; the verdicts are those of [`Verifier::judge`].
    pub fn judge_many<'t>(
        &self,
        tokens: impl IntoIterator<Item = &'t [u8]>,
        required: Scope<'_>,
        now: UnixTime,
        scratch: &mut Scratch,
        mut each: impl FnMut(Result<Judged<'_>, Rejection>),
    ) {
        for token in tokens {
            each(self.judge(token, required, now, scratch));
        }
    }
}
