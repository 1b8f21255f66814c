//! The vectors of the Token Status List draft: what our builder writes is what their authors wrote.

use super::{folder, json, ran};
use flate2::read::ZlibDecoder;
use std::io::Read as _;
use token::base64url;
use token::status_list::StatusList;

fn inflated(lst: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ZlibDecoder::new(lst).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_status_lists_of_the_draft_come_out() {
    let Some(path) = folder("Token Status List", "token-status-list/tsl_vectors.json") else { return };
    let (mut ours, mut others) = (0, 0);
    for vector in json(&path)["vectors"].as_array().unwrap() {
        if vector["bits"] != 1 {
            others += 1; // statuses beside valid and invalid, which this issuer does not have
            continue;
        }
        let entries = u32::try_from(vector["entries"].as_u64().unwrap()).unwrap();
        let published = base64url::decode(vector["lst"].as_str().unwrap().as_bytes()).unwrap();
        let mut list = StatusList::new(entries).unwrap();
        for (index, status) in vector["statuses"].as_object().unwrap() {
            assert_eq!(status, 1);
            list.revoke(index.parse().unwrap());
        }
        assert_eq!(inflated(&published), list.as_bytes());
        let compressed = list.compress();
        assert_eq!(inflated(&compressed), list.as_bytes());
        assert!(compressed.len() <= published.len() + published.len() / 4, "{} bytes", compressed.len());
        ours += 1;
    }
    ran(&format!("Token Status List: {ours} of one bit written alike, {others} of more bits not written by us"));
    assert_eq!((ours, others), (1, 3));
}
