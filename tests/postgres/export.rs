//! Everything out of one engine and into another, and back.

use crate::{cluster, fresh_schema, list_seq, master_key, setup};
use countersign_tests::{Setup, claims};
use serde_json::{Value, json};
use std::path::Path;

fn run(setup: &Setup, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
    let output = setup.command(&arguments).output().expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn from_sled_to_postgres_and_back_nothing_is_lost_and_nothing_revoked_comes_back() {
    let (folder, key) = master_key();
    let on_sled = || {
        Setup::new().set("master_key_file", text(&key)).set("admin_secret", crate::SECRET).set("issuer", crate::ISSUER)
    };
    let (one, two, three) = (on_sled(), setup(&fresh_schema(cluster()), &key), on_sled());
    let mut first = one.start();
    let live = first.mint(json!({"sub": "alice", "aud": "api"}));
    let gone = first.mint(json!({"sub": "bob", "aud": "api"}));
    assert_eq!(first.revoke(&gone.access_token).status, 200);
    let rotated = first.refresh(&live.refresh_token);
    let seq = list_seq(&first);
    assert!(first.stop().success());

    let file = folder.path().join("one");
    run(first.setup(), &["store", "export", text(&file)]);
    let counts = run(&two, &["store", "import", text(&file)]);
    assert_eq!((&counts["restored"]["sessions"], &counts["restored"]["revocations"]), (&json!(2), &json!(1)));
    let again = two.command(&["store", "import", text(&file)]).output().expect("it runs");
    assert!(!again.status.success(), "a database that is in use is not filled again");
    let mut second = two.start();
    assert!(list_seq(&second) > seq, "the list's number grows");
    assert_eq!(second.refresh(&live.refresh_token).body, rotated.body, "not even a lost answer is lost");
    let token = [("token", gone.access_token.as_str())];
    let told = second.client().form("/oauth/introspect", &token).basic(second.admin()).send();
    assert_eq!(told.json()["active"], false, "what was revoked stays so");
    let third_pair = second.refresh(&rotated.member("refresh_token"));
    assert_eq!(third_pair.status, 200);
    let seq = list_seq(&second);
    assert!(second.stop().success());

    let back = folder.path().join("two");
    run(second.setup(), &["store", "export", text(&back)]);
    run(&three, &["store", "import", text(&back)]);
    let third = three.start();
    assert!(list_seq(&third) > seq);
    assert_eq!(third.refresh(&rotated.member("refresh_token")).body, third_pair.body);
    let told = third.client().form("/oauth/introspect", &token).basic(third.admin()).send();
    assert_eq!(told.json()["active"], false);
    assert_ne!(claims(&third_pair.member("access_token"))["jti"], claims(&gone.access_token)["jti"]);
}
