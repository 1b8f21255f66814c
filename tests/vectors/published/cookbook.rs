//! The JOSE cookbooks: tokens of every algorithm and serialization, none of which is an access token of ours.

use super::wycheproof::{refused_by_ours, strings};
use super::{folder, holds, json, ran};
use std::path::{Path, PathBuf};
use token::base64url;

#[test]
fn the_ed25519_jws_of_the_cookbook_holds() {
    let Some(path) = folder("ietf-jose cookbook, Curve25519 JWS", "ietf-jose-cookbook/curve25519/jws.json") else {
        return;
    };
    let file = json(&path);
    let key = base64url::decode(file["input"]["key"]["x"].as_str().unwrap().as_bytes()).unwrap();
    let signing = &file["signing"];
    let signature = base64url::decode(signing["sig"].as_str().unwrap().as_bytes()).unwrap();
    assert!(holds(&key, signing["sig-input"].as_str().unwrap().as_bytes(), &signature));
    ran("ietf-jose cookbook, Curve25519 JWS: holds");
}

#[test]
fn no_text_of_the_cookbooks_is_an_access_token() {
    let mut texts = 0;
    for (what, path) in [("ietf-jose cookbook", "ietf-jose-cookbook"), ("panva-jose cookbook", "panva-jose")] {
        let Some(path) = folder(what, path) else { return };
        for path in json_files(&path) {
            let value = json(&path);
            for text in strings(&value) {
                assert!(refused_by_ours(text), "{}: {text}", path.display());
                texts += 1;
            }
            assert!(refused_by_ours(&value.to_string()), "{}", path.display());
        }
    }
    ran(&format!("JOSE cookbooks: {texts} texts, 0 accepted"));
}

/// Every file of JSON below a folder.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => json_files(&path),
            false => Some(path).filter(|path| path.extension().is_some_and(|ext| ext == "json")).into_iter().collect(),
        })
        .collect()
}
