//! Rust source as words and the few signs an import is made of. Comments, literals and test modules are left out.

/// What remains of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// An identifier or a keyword.
    Word(String),
    /// `::`
    Step,
    /// Any other sign; literals are `"`.
    Sign(char),
}

/// The tokens of a source without those of its `#[cfg(test)]` modules.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    without_test_modules(&lex(source))
}

/// The modules that a source declares in files of their own, behind `#[cfg(test)]`.
pub(crate) fn test_modules(source: &str) -> Vec<String> {
    let tokens = lex(source);
    let declared = (0..tokens.len()).filter_map(|at| {
        let (after, name) = test_module(tokens.get(at..)?)?;
        (tokens.get(at + after) == Some(&Token::Sign(';'))).then_some(name)
    });
    declared.collect()
}

/// The modules that the source declares below itself: a path that starts with one of them stays inside.
pub(crate) fn declared_modules(tokens: &[Token]) -> Vec<String> {
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    let names = pairs.filter_map(|pair| match pair {
        (Token::Word(word), Token::Word(name)) if word == "mod" => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

fn lex(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (token, length) = next(rest, first);
        tokens.extend(token);
        rest = rest.get(length.max(first.len_utf8())..).unwrap_or_default();
    }
    tokens
}

/// The token at the start of `rest`, if it is one that counts, and how many bytes it takes.
fn next(rest: &str, first: char) -> (Option<Token>, usize) {
    let literal = Some(Token::Sign('"'));
    if rest.starts_with("//") {
        return (None, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (None, block_comment(rest));
    }
    if let Some(length) = raw_string(rest) {
        return (literal, length);
    }
    if first == '"' {
        return (literal, quoted(rest, '"'));
    }
    if first == '\'' && is_character(rest) {
        return (literal, quoted(rest, '\''));
    }
    if rest.starts_with("::") {
        return (Some(Token::Step), 2);
    }
    if first.is_alphanumeric() || first == '_' {
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let length = word.len();
        return (Some(Token::Word(word)), length);
    }
    ((!first.is_whitespace()).then_some(Token::Sign(first)), first.len_utf8())
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_u32;
    for (at, _) in rest.char_indices() {
        let here = rest.get(at..).unwrap_or_default();
        if here.starts_with("/*") {
            depth += 1;
        } else if here.starts_with("*/") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + 2;
            }
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#` and their byte forms.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let opening = after.find('"')?;
    let hashes = after.get(..opening)?;
    if !hashes.bytes().all(|byte| byte == b'#') {
        return None;
    }
    let closing = format!("\"{hashes}");
    let body = after.get(opening + 1..)?;
    let end = body.find(&closing).map_or(rest.len(), |at| rest.len() - body.len() + at + closing.len());
    Some(end)
}

/// The length of a literal that ends at the next `quote` without a backslash before it.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// Whether an apostrophe opens a character and not a lifetime.
fn is_character(rest: &str) -> bool {
    let mut characters = rest.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => true,
        (_, closing) => closing == Some('\''),
    }
}

/// `#[cfg(test)] mod name`: how many tokens it takes, and the name.
fn test_module(tokens: &[Token]) -> Option<(usize, String)> {
    let written: Vec<String> = tokens.iter().take(9).map(text).collect();
    let words: Vec<&str> = written.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["#", "[", "cfg", "(", "test", ")", "]", "mod", name] => Some((9, (*name).to_owned())),
        _ => None,
    }
}

fn text(token: &Token) -> String {
    match token {
        Token::Word(word) => word.clone(),
        Token::Step => "::".to_owned(),
        Token::Sign(sign) => sign.to_string(),
    }
}

fn without_test_modules(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some((length, _)) = test_module(tokens.get(at..).unwrap_or_default()) {
            at += length + body(tokens.get(at + length..).unwrap_or_default());
        } else {
            kept.push(token.clone());
            at += 1;
        }
    }
    kept
}

/// How many tokens the module's body takes: up to the brace that closes it, or the semicolon.
fn body(tokens: &[Token]) -> usize {
    let mut depth = 0_u32;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}
