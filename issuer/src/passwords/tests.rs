//! What is taken and what is refused; Argon2id against its RFC's shape.

use super::*;
use proptest::prelude::*;

fn password(text: &str) -> Password {
    Password::parse(text).unwrap_or_else(|NoPassword| panic!("{text:?} is one"))
}

fn check(text: &str) -> Result<(), Weakness> {
    password(text).check(
        15,
        &BlockList::parse("hunter2 and friends\r\n\nTotally Unguessable\n"),
        &["maria.k@example.com", "mk", "Example Issuer"],
    )
}

#[test]
fn long_passwords_of_every_kind_are_taken_as_they_are() {
    let long = "x".repeat(50) + "yz, and so on until it is long";
    for text in [
        "three quiet otters",
        "Σίσυφος κυλά την πέτρα",
        "     spaces are characters",
        "日本語のパスワードは十五文字",
        &long,
        "kV7#pQ2!mZ9@wL4x",
    ] {
        assert_eq!(password(text).check(14, &BlockList::default(), &[]), Ok(()), "{text}");
    }
    assert!(Password::parse(&"é".repeat(512)).is_ok(), "1,024 bytes");
    for text in ["", "a\0b", "line\nbreak", &"é".repeat(513)] {
        assert!(Password::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn characters_are_counted_and_not_bytes() {
    assert_eq!(password("пароль-из-14-б").check(15, &BlockList::default(), &[]), Err(Weakness::TooShort { least: 15 }));
    assert_eq!(password("пароль-из-15-бу").check(15, &BlockList::default(), &[]), Ok(()));
}

#[test]
fn the_two_ways_to_write_a_letter_are_one_password() {
    let hash = PasswordHash::of(&password("un café très long"), [7; 16], Costs::default()).unwrap();
    assert_eq!(hash.is_of(&password("un cafe\u{301} tre\u{300}s long")), Ok(true));
    assert_eq!(hash.is_of(&password("un cafe très long")), Ok(false));
}

#[test]
fn what_everybody_takes_is_refused_at_any_length() {
    for text in [
        "password",
        "Password1!",
        "P@ssw0rd2026",
        "passwordpassword",
        "passwordpassword123",
        "iloveyoumichael1",
        "correct horse battery",
        "correcthorsebatterystaple",
        "letmein-letmein-99",
        "123456789012345",
        "111111111111111",
        "abcabcabcabcabcabc",
        "qwertyuiopasdfghjkl",
        "1qaz2wsx3edc4rfv5tgb",
        "zyxwvutsrqponmlkjih",
        "trustno1",
        "SummerSummer2025",
        "dragonmonkeytiger",
    ] {
        assert_eq!(password(text).check(8, &BlockList::default(), &[]), Err(Weakness::Common), "{text}");
    }
    for text in ["password is not the whole of it", "a dragon ate my homework", "qwertz but then some more of it"] {
        assert_eq!(password(text).check(8, &BlockList::default(), &[]), Ok(()), "{text}");
    }
}

#[test]
fn the_operators_list_and_the_names_around_it_are_refused() {
    assert_eq!(check("HUNTER2 and friends"), Err(Weakness::Listed));
    assert_eq!(check("totally unguessable"), Err(Weakness::Listed));
    for text in ["Maria.K@example.com", "maria.kmaria.k2024", "mkmkmkmkmkmkmkmk", "example issuer!!", "EXAMPLE ISSUER"]
    {
        assert!(
            matches!(
                password(text).check(8, &BlockList::default(), &["maria.k@example.com", "mk", "Example Issuer"]),
                Err(Weakness::Name | Weakness::Common)
            ),
            "{text}"
        );
    }
    assert_eq!(check("maria.k likes otters"), Ok(()));
    assert_eq!(BlockList::parse("a\n\nA\r\nb").len(), 2);
}

#[test]
fn a_hash_says_how_it_was_made_and_is_made_again_when_costs_rise() {
    let costs = Costs { memory_kib: 64, iterations: 2, parallelism: 1 };
    let hash = PasswordHash::of(&password("three quiet otters"), [1; 16], costs).unwrap();
    assert!(hash.as_stored().starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{}", hash.as_stored());
    assert_eq!(PasswordHash::parse(hash.as_stored().to_owned()), Ok(hash.clone()));
    assert_ne!(PasswordHash::of(&password("three quiet otters"), [2; 16], costs), Ok(hash.clone()));
    assert!(!hash.is_below(costs));
    assert!(hash.is_below(Costs { iterations: 3, ..costs }) && hash.is_below(Costs { memory_kib: 65, ..costs }));
    assert!(hash.is_below(Costs { parallelism: 2, ..costs }));
    assert_eq!(format!("{hash:?}"), "PasswordHash(..)");
    for text in ["", "$argon2id$v=19$m=64,t=2,p=1$", "$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHQ", "plain"] {
        assert_eq!(PasswordHash::parse(text.to_owned()), Err(HashFault), "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_that_is_typed_breaks_the_rules_or_slips_through_short(text in "\\PC{0,40}") {
        if let Ok(password) = Password::parse(&text) {
            let judged = password.check(15, &BlockList::default(), &["maria"]);
            let refused = judged == Err(Weakness::TooShort { least: 15 });
            prop_assert_eq!(refused, password.0.chars().count() < 15);
        }
    }
}
