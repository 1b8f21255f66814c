//! The paths a source uses, written out: in `use` trees and in the middle of code alike.

use crate::lexer::Token;

/// Every path of two or more steps in the code, and every leaf of every `use` tree, as written.
pub(crate) fn paths(tokens: &[Token]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = tokens.get(at + 1..).unwrap_or_default();
        at += 1;
        match token {
            Token::Word(word) if word == "use" => at += tree(rest, &[], &mut found),
            Token::Word(word) => {
                let (path, length) = steps(word, rest);
                if path.len() > 1 {
                    found.push(path);
                }
                at += length;
            }
            _ => {}
        }
    }
    found
}

/// `first` and the `::word` that follow it.
fn steps(first: &str, rest: &[Token]) -> (Vec<String>, usize) {
    let mut path = vec![first.to_owned()];
    let mut length = 0;
    while let [Token::Step, Token::Word(word), ..] = rest.get(length..).unwrap_or_default() {
        path.push(word.clone());
        length += 2;
    }
    (path, length)
}

/// Reads one `use` tree, or one branch of it, and returns how many tokens it took.
fn tree(tokens: &[Token], above: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = above.to_vec();
    let mut branched = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Word(word) if word == "as" => at += 1, // the new name is nobody's business
            Token::Word(word) => path.push(word.clone()),
            Token::Step | Token::Sign('*') => {}
            Token::Sign('{') => {
                branched = true;
                at += branches(tokens.get(at + 1..).unwrap_or_default(), &path, found);
            }
            Token::Sign(_) => break,
        }
        at += 1;
    }
    if !branched && path.len() > above.len() {
        found.push(path);
    }
    at
}

/// The branches between braces, with the closing one.
fn branches(tokens: &[Token], above: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    loop {
        at += tree(tokens.get(at..).unwrap_or_default(), above, found);
        match tokens.get(at) {
            Some(Token::Sign(',')) => at += 1,
            _ => return at + 1,
        }
    }
}
