//! Signatures alone: keys made once, bytes decoded beforehand.

use crate::Result;
use crate::fixture::{Fixture, Signed, signed};
use crate::rounds::{Contender, one_by_one};
use std::rc::Rc;

pub(crate) fn contenders(fixture: &Fixture) -> Result<Vec<Contender<'_>>> {
    let key = fixture.key()?;
    let own = token::ed25519::VerifyingKey::from_bytes(&key, token::ed25519::Tables::WhenBusy)
        .map_err(|fault| format!("{fault:?}"))?;
    let dalek = ed25519_dalek::VerifyingKey::from_bytes(&key)?;
    let dalek_strict = move |of: &Signed| dalek.verify_strict(&of.message, &of.signature.into()).is_ok();
    let ring = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
    let aws = aws_lc_rs::signature::ParsedPublicKey::new(&aws_lc_rs::signature::ED25519, key)?;
    Ok(vec![
        bare(fixture, "ours-bare", "countersign", move |of| own.verifies(&of.message, &of.signature)),
        bare(fixture, "dalek", "ed25519-dalek, verify_strict", dalek_strict),
        bare(fixture, "ring", "ring", move |of| ring.verify(&of.message, &of.signature).is_ok()),
        bare(fixture, "aws-lc-rs", "aws-lc-rs", move |of| aws.verify_sig(&of.message, &of.signature).is_ok()),
    ])
}

fn bare<'f>(fixture: &'f Fixture, id: &str, name: &str, holds: impl Fn(&Signed) -> bool + 'f) -> Contender<'f> {
    let decoded: Vec<Signed> = fixture.tokens.iter().map(|token| signed(token)).collect();
    let holds = Rc::new(holds);
    let judge = Rc::clone(&holds);
    Contender {
        id: id.into(),
        name: name.into(),
        kind: "bare",
        mine: false,
        judge: Some(Box::new(move |token| judge(&signed(token)))),
        turn: one_by_one(Vec::leak(decoded), move |of| holds(of)),
    }
}
