//! Users and clients of every kind that is refused, and refusals of them in an order that is drawn.

use super::statistics::Class;
use super::{Fallible, World};
use issuer::audit::Origin;
use issuer::operations::{Client, ClientTerms, Issuer, LoginRequest, ProfileRequest, Secret, UserRequest};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;
use zeroize::Zeroizing;

const PASSWORD: &str = "three quiet otters";
const WRONG: &str = "seven loud herons";
const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// Users of each kind, so that the count of failures and what is cached belong to no single one.
const OF_A_KIND: usize = 16;
/// Failures in a row after which a user logs in once, unmeasured: far below the hundred that close an account.
const IN_A_ROW: usize = 40;

fn origin() -> Origin {
    Origin { request: None, address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) }
}

/// A sequence that looks random and is the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default() % bound
    }
}

async fn log_in(issuer: &Issuer, name: &str, password: &str) -> bool {
    let request = LoginRequest {
        username: name.to_owned(),
        password: Zeroizing::new(password.to_owned()),
        scope: None,
        device: None,
        device_token: None,
        instead_of: None,
        longest_token: 8_192,
    };
    issuer.log_in(&origin(), request).await.is_ok()
}

/// Logs a user in; `false` when nobody could be at this moment.
pub(crate) async fn right(issuer: &Issuer, name: &str) -> bool {
    log_in(issuer, name, PASSWORD).await
}

async fn administrator(world: &World) -> Fallible<Client> {
    let secret = Secret::parse(SECRET).ok_or("a secret")?;
    world.issuer.ensure_client("admin", Some(secret)).await?;
    Ok(world.issuer.authenticate("admin", SECRET, &origin()).await?)
}

/// Makes so many users and returns their names.
pub(crate) async fn named(world: &World, count: usize) -> Fallible<Vec<String>> {
    let admin = administrator(world).await?;
    let mut names = Vec::new();
    for number in 0..count {
        names.push(user(world, &admin, &format!("user-{number}"), |_| {}).await?);
    }
    Ok(names)
}

async fn user(world: &World, admin: &Client, name: &str, change: impl FnOnce(&mut UserRequest)) -> Fallible<String> {
    let blank = || UserRequest {
        user_name: None,
        email: None,
        disabled: None,
        must_reset: None,
        profile: ProfileRequest::default(),
    };
    let request = UserRequest { user_name: Some(Some(name.to_owned())), ..blank() };
    let made = world.issuer.create_user(admin, request, Some(Zeroizing::new(PASSWORD.to_owned()))).await?;
    right(&world.issuer, name).await;
    let mut amendment = blank();
    change(&mut amendment);
    if amendment.disabled.is_some() || amendment.must_reset.is_some() {
        world.issuer.amend_user(admin, &made.sub, amendment).await?;
    }
    Ok(name.to_owned())
}

/// Names of each kind: a wrong password, nobody, disabled, to be reset.
pub(crate) struct Users([Vec<String>; 4]);

impl Users {
    pub(crate) async fn make(world: &World) -> Fallible<Self> {
        let admin = administrator(world).await?;
        let mut kinds = [const { Vec::new() }; 4];
        for number in 0..OF_A_KIND {
            let name = |kind: &str| format!("{kind}-{number:02}");
            kinds[0].push(user(world, &admin, &name("active"), |_| {}).await?);
            kinds[1].push(name("nobody"));
            let disabled = |request: &mut UserRequest| request.disabled = Some(true);
            kinds[2].push(user(world, &admin, &name("barred"), disabled).await?);
            let must_reset = |request: &mut UserRequest| request.must_reset = Some(true);
            kinds[3].push(user(world, &admin, &name("resets"), must_reset).await?);
        }
        Ok(Self(kinds))
    }

    /// Refuses logins of each kind with a password that is wrong.
    pub(crate) async fn refused(&mut self, world: &World, samples: usize) -> Fallible<Vec<Class>> {
        let names = ["a wrong password", "an unknown user", "a disabled user", "a user that must reset"];
        let mut classes: Vec<Class> = names.into_iter().map(Class::new).collect();
        let (mut dice, mut failures) = (Dice(1), [[0_usize; OF_A_KIND]; 4]);
        for _ in 0..samples * names.len() {
            let (kind, number) = (dice.below(names.len()), dice.below(OF_A_KIND));
            let name = &self.0[kind][number];
            world.clock.advance_secs(3_600);
            if failures[kind][number] >= IN_A_ROW {
                failures[kind][number] = 0;
                right(&world.issuer, name).await;
                world.clock.advance_secs(3_600);
            }
            failures[kind][number] += 1;
            let began = Instant::now();
            let refused = !log_in(&world.issuer, name, WRONG).await;
            classes[kind].micros.push(began.elapsed().as_secs_f64() * 1e6);
            if !refused {
                return Err("a wrong password was taken".into());
            }
        }
        Ok(classes)
    }
}

/// Clients of each kind.
pub(crate) struct Clients;

impl Clients {
    pub(crate) async fn make(world: &World) -> Fallible<Self> {
        let admin = administrator(world).await?;
        let secret = || Secret::parse(SECRET);
        for number in 0..OF_A_KIND {
            world.issuer.ensure_client(&format!("active-{number:02}"), secret()).await?;
            let barred = format!("barred-{number:02}");
            world.issuer.ensure_client(&barred, secret()).await?;
            let terms = ClientTerms { disabled: Some(true), ..ClientTerms::default() };
            world.issuer.change_client(&admin, barred, terms).await?;
        }
        Ok(Self)
    }

    /// Refuses clients of each kind: a wrong secret, nobody, disabled with the right secret.
    pub(crate) async fn refused(&self, world: &World, samples: usize) -> Fallible<Vec<Class>> {
        let kinds = [
            ("a wrong secret", "active", "fedcba9876543210fedcba9876543210"),
            ("an unknown client", "nobody", SECRET),
            ("a disabled client", "barred", SECRET),
        ];
        let mut classes: Vec<Class> = kinds.iter().map(|(name, ..)| Class::new(name)).collect();
        let mut dice = Dice(2);
        for _ in 0..samples * kinds.len() {
            let kind = dice.below(kinds.len());
            let (_, prefix, secret) = kinds[kind];
            let id = format!("{prefix}-{:02}", dice.below(OF_A_KIND));
            let began = Instant::now();
            let refused = world.issuer.authenticate(&id, secret, &origin()).await.is_err();
            classes[kind].micros.push(began.elapsed().as_secs_f64() * 1e6);
            if !refused {
                return Err("a client proved what it is not".into());
            }
        }
        Ok(classes)
    }
}
