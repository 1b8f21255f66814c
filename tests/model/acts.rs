//! What clients ask of the issuer, and what its answers promise.

use crate::history::History;
use crate::house::{AUDIENCE, CLIENTS};
use crate::oracle::{Held, Oracle, Token, holds};
use crate::planted::Planted;
use crate::traced;
use countersign_tests::Dice;
use issuer::error::GrantFault;
use issuer::operations::{
    Client, ClientCredentialsRequest, Error, Issuer, MintRequest, Revocation, RevocationRequest, TokenAnswer,
};

/// One request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Mint { client: usize, sub: usize, ttl: u64 },
    OwnToken { client: usize },
    Refresh { login: usize, back: usize },
    RevokeAccess { token: usize },
    RevokeLogin { login: usize },
    RevokeBy(By),
}

/// What is taken back without a token of it.
#[derive(Debug, Clone)]
pub(crate) enum By {
    Subject(usize),
    Session(usize),
    Client(usize),
    Key(String),
    All(Option<u64>),
}

impl By {
    /// Whether a token is named, where `known` sessions had begun when this was asked.
    fn names(&self, token: &Token, known: usize) -> bool {
        match self {
            Self::Subject(sub) => token.sub == subject(*sub) && token.login < known,
            Self::Session(login) => token.login == *login,
            Self::Client(client) => token.client == CLIENTS[*client] && token.login < known,
            Self::Key(kid) => token.kid == *kid,
            Self::All(None) => token.login < known,
            Self::All(Some(until)) => token.iat <= *until,
        }
    }

    /// Whether the session with this first token ends, likewise.
    fn ends(&self, first: &Token, known: usize) -> bool {
        !matches!(self, Self::Key(_)) && self.names(first, known)
    }

    fn request(&self, oracle: &Oracle) -> RevocationRequest {
        match self {
            Self::Subject(sub) => RevocationRequest::Subject { sub: subject(*sub), issued_before: None },
            Self::Session(login) => RevocationRequest::Session { sid: oracle.logins[*login].sid.clone() },
            Self::Client(client) => RevocationRequest::Client { client_id: CLIENTS[*client].to_owned() },
            Self::Key(kid) => RevocationRequest::Key { kid: kid.clone() },
            Self::All(issued_before) => RevocationRequest::All { issued_before: *issued_before },
        }
    }
}

fn subject(number: usize) -> String {
    format!("user-{number}")
}

/// What came back.
#[derive(Debug)]
pub(crate) enum Reply {
    Pair(TokenAnswerOf),
    Revoked(Revocation),
    Refused(Error),
}

/// A pair, without its texts in the debug form.
pub(crate) struct TokenAnswerOf(TokenAnswer);

impl std::fmt::Debug for TokenAnswerOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a pair")
    }
}

/// Asks so many things at a time and holds the answers against what was known; false when the process ended meanwhile.
pub(crate) async fn done(history: &mut History, count: usize) -> Result<bool, String> {
    let truth = history.house.clock.truth();
    let known = history.oracle.logins.len();
    let mut chosen: Vec<Act> = (0..count).map(|_| chosen(&mut history.dice, &history.oracle, truth)).collect();
    if count > 1 && history.dice.percent(20) {
        raced(&mut history.dice, &history.oracle, &mut chosen);
    }
    chosen.iter().for_each(|act| noted(&mut history.oracle, act, known));
    let planted = history.planted;
    let (issuer, clients) =
        (history.house.issuer().clone(), [history.house.client(0).clone(), history.house.client(1).clone()]);
    let ask = |act: Option<&Act>| asked(issuer.clone(), clients.clone(), texts(&history.oracle, act), planted);
    let (first, second) = (ask(chosen.first()), ask(chosen.get(1)));
    let both = async { tokio::join!(first, second) };
    let replies = history.house.survived(both).await;
    drop(issuer);
    let Some((first, second)) = replies else {
        traced(|| format!("    {chosen:?}: no answer"));
        chosen.iter().for_each(|act| unanswered(&mut history.oracle, act));
        return Ok(false);
    };
    let mut answered: Vec<(&Act, Reply)> =
        chosen.iter().zip([first, second]).filter_map(|(act, reply)| Some((act, reply?))).collect();
    let broke = |reply: &Reply| matches!(reply, Reply::Refused(Error::Store(_)));
    let ended = |reply: &Reply| {
        matches!(reply, Reply::Refused(Error::InvalidGrant(GrantFault::Reused | GrantFault::AboveNewest)))
    };
    let doubtful = answered.iter().filter(|(_, reply)| broke(reply) || ended(reply));
    doubtful.for_each(|(act, _)| unanswered(&mut history.oracle, act));
    history.look()?;
    let lives = !answered.iter().any(|(_, reply)| broke(reply));
    // A pair that came while its session ended is one of the session's.
    answered.sort_by_key(|(_, reply)| !matches!(reply, Reply::Pair(_)));
    for (act, reply) in answered {
        traced(|| format!("    {act:?}: {reply:?}"));
        let among = Among { known, count, rules: chosen.iter().any(|act| matches!(act, Act::RevokeBy(_))) };
        told(history, act, reply, &among).map_err(|what| format!("{act:?}: {what}"))?;
    }
    Ok(lives)
}

/// What else was asked at the same time.
struct Among {
    /// Sessions that had begun before.
    known: usize,
    count: usize,
    /// Whether something is taken back that an answer may or may not have been before.
    rules: bool,
}

fn chosen(dice: &mut Dice, oracle: &Oracle, truth: u64) -> Act {
    let client = dice.below(CLIENTS.len());
    let (tokens, logins) = (oracle.tokens.len(), oracle.logins.len());
    let recent = |dice: &mut Dice, count: usize| count - 1 - dice.below(count.min(16));
    match dice.below(11) {
        0 => Act::OwnToken { client },
        10 if tokens > 0 && dice.percent(50) => Act::RevokeBy(match dice.below(12) {
            0..=3 => By::Subject(dice.below(3)),
            4..=7 => By::Session(recent(dice, logins)),
            8 | 9 => By::Client(client),
            10 => By::Key(oracle.tokens[recent(dice, tokens)].kid.clone()),
            _ => By::All(dice.percent(50).then(|| truth - dice.between(0, 400))),
        }),
        1 | 2 if logins > 0 => {
            let back = dice.weighted(&[(10, 0), (3, 1), (1, 2)]);
            Act::Refresh { login: recent(dice, logins), back }
        }
        3..=6 if tokens > 0 => Act::RevokeAccess { token: recent(dice, tokens) },
        7 if logins > 0 => Act::RevokeLogin { login: recent(dice, logins) },
        _ => {
            let ttl = *dice.one(&[30, 120, 300, 900, 900, 4_000]).unwrap();
            Act::Mint { client, sub: dice.below(3), ttl }
        }
    }
}

/// A refresh and a rule that ends its session, at a time: chance alone would bring the two together too seldom.
fn raced(dice: &mut Dice, oracle: &Oracle, chosen: &mut Vec<Act>) {
    if let Some(login) = oracle.logins.len().checked_sub(1 + dice.below(4)) {
        let rule = Act::RevokeBy(By::Client(oracle.logins[login].client));
        *chosen = vec![Act::Refresh { login, back: 0 }, rule];
    }
}

/// Before the answer: what the request may do even if no answer comes.
fn noted(oracle: &mut Oracle, act: &Act, known: usize) {
    match *act {
        Act::RevokeBy(ref by) => {
            oracle.all_asked |= matches!(by, By::All(_));
            if let By::Key(kid) = by {
                oracle.asked_keys.insert(kid.clone());
            }
            oracle.asked(&oracle.those(|token| by.names(token, known)));
        }
        Act::RevokeAccess { token } => oracle.asked(&[token]),
        // An old refresh token ends its session, and what an answer that was lost has made old is not known here.
        Act::RevokeLogin { login } => oracle.asked(&oracle.of(login)),
        Act::Refresh { login, back } if back > 0 => oracle.asked(&oracle.of(login)),
        Act::Refresh { .. } | Act::Mint { .. } | Act::OwnToken { .. } => {}
    }
}

/// Without an answer, or with one that says so: a refresh may have found its token an old one, and ended the session.
fn unanswered(oracle: &mut Oracle, act: &Act) {
    if let Act::Refresh { login, .. } = *act {
        oracle.asked(&oracle.of(login));
    }
}

/// A request with the texts it needs.
enum Asked {
    Mint { client: usize, request: Box<MintRequest> },
    OwnToken { client: usize },
    Refresh { client: usize, text: String },
    Revoke { text: String },
    RevokeBy(RevocationRequest),
}

fn texts(oracle: &Oracle, act: Option<&Act>) -> Option<Asked> {
    Some(match *act? {
        Act::RevokeBy(ref by) => Asked::RevokeBy(by.request(oracle)),
        Act::Mint { client, sub, ttl } => {
            let (sub, aud) = (subject(sub), vec![AUDIENCE.to_owned()]);
            let request = MintRequest { sub, aud, access_ttl: Some(ttl), ..MintRequest::default() };
            Asked::Mint { client, request: Box::new(request) }
        }
        Act::OwnToken { client } => Asked::OwnToken { client },
        Act::Refresh { login, back } => {
            let login = &oracle.logins[login];
            Asked::Refresh { client: login.client, text: login.refresh.iter().rev().nth(back)?.clone() }
        }
        Act::RevokeAccess { token } => Asked::Revoke { text: oracle.tokens[token].text.clone() },
        Act::RevokeLogin { login } => Asked::Revoke { text: oracle.logins[login].refresh.last()?.clone() },
    })
}

async fn asked(issuer: Issuer, clients: [Client; 2], what: Option<Asked>, planted: Planted) -> Option<Reply> {
    let pair = |answer: Result<TokenAnswer, Error>| {
        answer.map_or_else(Reply::Refused, |pair| Reply::Pair(TokenAnswerOf(pair)))
    };
    Some(match what? {
        Asked::Mint { client, request } => pair(issuer.mint(&clients[client], *request).await),
        Asked::OwnToken { client } => {
            pair(issuer.client_credentials(&clients[client], ClientCredentialsRequest::default()).await)
        }
        Asked::Refresh { client, text } => pair(issuer.refresh(&clients[client], &text, None).await),
        Asked::RevokeBy(request) => {
            issuer.revoke_by(&clients[0], request).await.map_or_else(Reply::Refused, Reply::Revoked)
        }
        Asked::Revoke { .. } if planted == Planted::PromisesOnly => {
            let newest = issuer.revocation_list();
            Reply::Revoked(Revocation { seq: newest.seq, effective_by: newest.exp.as_secs() })
        }
        Asked::Revoke { text } => issuer.revoke(&clients[0], &text).await.map_or_else(Reply::Refused, Reply::Revoked),
    })
}

/// After the answer: what it promises.
fn told(history: &mut History, act: &Act, reply: Reply, among: &Among) -> Held {
    match (act, reply) {
        (Act::Mint { client, .. } | Act::OwnToken { client }, Reply::Pair(TokenAnswerOf(pair))) => {
            let login = history.login(*client, &pair.sid);
            given(history, login, &pair, among);
            Ok(())
        }
        (Act::Refresh { login, .. }, Reply::Pair(TokenAnswerOf(pair))) => {
            // Asked at the same time as its end, either may have come first.
            holds!(!history.oracle.logins[*login].over || among.count > 1, "a session that is over gave a pair");
            given(history, *login, &pair, among);
            Ok(())
        }
        (Act::Refresh { login, .. }, Reply::Refused(Error::InvalidGrant(GrantFault::Reused))) => {
            let tokens = history.oracle.of(*login);
            history.oracle.due_next(&tokens);
            history.oracle.logins[*login].over = true;
            Ok(())
        }
        (Act::Refresh { login, .. }, Reply::Refused(Error::InvalidGrant(GrantFault::AboveNewest))) => {
            let tokens = history.oracle.of(*login);
            history.oracle.asked(&tokens);
            Ok(())
        }
        (Act::RevokeAccess { token }, Reply::Revoked(answer)) => history.oracle.acknowledged(&[*token], answer),
        (Act::RevokeLogin { login }, Reply::Revoked(answer)) => {
            let tokens = history.oracle.of(*login);
            history.oracle.logins[*login].over = true;
            history.oracle.acknowledged(&tokens, answer)
        }
        (Act::RevokeBy(by), Reply::Revoked(answer)) => ruled(&mut history.oracle, by, answer, among.known),
        (Act::RevokeBy(By::Key(_) | By::Client(_)), Reply::Refused(Error::TooManyRules { .. })) => Ok(()),
        // The key is gone already, or the time has not come by a calendar that is behind.
        (Act::RevokeBy(By::Key(_) | By::All(Some(_))), Reply::Refused(Error::InvalidRequest { .. })) => Ok(()),
        (_, Reply::Refused(Error::Store(_) | Error::NotReady(_) | Error::InvalidGrant(_))) => Ok(()),
        (_, reply) => Err(format!("an answer that nothing explains: {reply:?}")),
    }
}

fn given(history: &mut History, login: usize, pair: &TokenAnswer, among: &Among) {
    history.oracle.issued(&pair.access_token, login);
    if among.rules {
        let token = history.oracle.those(|token| token.text == pair.access_token);
        history.oracle.asked(&token);
    }
    if let Some(refresh) = &pair.refresh_token {
        let known = &mut history.oracle.logins[login].refresh;
        if known.last() != Some(refresh) {
            known.push(refresh.clone());
        }
    }
}

/// What a rule or an expansion has taken back, of what was there when it was asked for.
fn ruled(oracle: &mut Oracle, by: &By, answer: Revocation, known: usize) -> Held {
    let dated = matches!(by, By::All(_) | By::Client(_));
    let reaches = |token: &Token| !(dated && token.ahead);
    let tokens = oracle.those(|token| by.names(token, known) && reaches(token));
    for login in 0..known {
        let first = oracle.tokens.iter().find(|token| token.login == login);
        oracle.logins[login].over |= first.is_some_and(|first| by.ends(first, known) && reaches(first));
    }
    oracle.acknowledged(&tokens, answer)
}
