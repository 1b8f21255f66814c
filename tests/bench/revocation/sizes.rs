//! What lists and deltas weigh.

use crate::sets::{self, EPOCHS, Places, Random, body, head, information, key};
use std::error::Error;
use token::jwk::Purpose;
use token::revocation::ListId;

const LIVE: [u32; 3] = [10_000, 1_000_000, 100_000_000];
/// Of ten thousand live tokens, how many are revoked.
const REVOKED: [u32; 8] = [1, 10, 100, 500, 1_000, 2_000, 4_000, 5_000];

/// Tables of the full list and of deltas.
pub(crate) fn markdown() -> Result<String, Box<dyn Error>> {
    let mut text = String::from(
        "The signed full list in bytes; below it, that length less 350 bytes against the information in the set, log2 C(n, k) / 8 bytes.\n\n| live tokens |",
    );
    for share in REVOKED {
        text += &format!(" {} % |", f64::from(share) / 100.0);
    }
    text += &format!("\n|---|{}\n", "---|".repeat(REVOKED.len()));
    for live in LIVE {
        text += &format!("| {} |", grouped(u64::from(live)));
        for share in REVOKED {
            let (bytes, ratio) = list(live, live / 10_000 * share)?;
            text += &format!(" {}<br>{ratio:.3} |", grouped(bytes));
        }
        text += "\n";
    }
    text += "\n| signed delta | bytes |\n|---|---|\n";
    let deltas: [(&str, u32); 4] =
        [("heartbeat", 0), ("1 revocation", 1), ("10 revocations among 10^6", 10), ("100 revocations among 10^6", 100)];
    for (name, count) in deltas {
        text += &format!("| {name} | {} |\n", grouped(delta(count)?));
    }
    Ok(text)
}

fn list(live: u32, revoked: u32) -> Result<(u64, f64), Box<dyn Error>> {
    let body = body(&sets::revoked(live, revoked))?;
    let document = key(Purpose::Revocations)?.sign_list(&head(1, &body)?, &body)?;
    let bytes = u32::try_from(document.len())?;
    Ok((u64::from(bytes), (f64::from(bytes) - 350.0) / (information(live, revoked) / 8.0)))
}

/// The length of the longest of a hundred deltas.
fn delta(count: u32) -> Result<u64, Box<dyn Error>> {
    let mut random = Random::new(7);
    let mut longest = 0;
    for seq in 0..100 {
        let mut added = Places::new();
        for _ in 0..count {
            let number = random.below(1_000_000);
            added.entry(7_031_250 + number % EPOCHS).or_default().push(number / EPOCHS);
        }
        added.values_mut().for_each(|run| {
            run.sort_unstable();
            run.dedup();
        });
        let after = body(&sets::revoked(10_000, 10))?;
        let base = if count == 0 { ListId::of(&after) } else { ListId::of(b"the state before") };
        let document = key(Purpose::Revocations)?.sign_delta(&head(seq, &after)?, base, 0, &body(&added)?)?;
        longest = longest.max(u64::try_from(document.len())?);
    }
    Ok(longest)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let groups = rest.as_bytes().chunks(3).map(String::from_utf8_lossy);
    std::iter::once(head.into()).chain(groups).filter(|group| !group.is_empty()).collect::<Vec<_>>().join(",")
}
