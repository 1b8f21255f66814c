//! Ends a process and everything it started, for a step that outlives its deadline.
//!
//! The tree is read from /proc; where there is none, only the process itself is ended.

use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use crate::clock;

/// How long a killed process may take to be gone.
const DYING: Duration = Duration::from_secs(5);

/// Afterwards neither `child` nor anything it started is running.
pub(crate) fn end(child: &mut Child) {
    let below = below(child.id());
    // Parents first, so that none has the time to start anew what was ended below it.
    let _already_gone = child.kill();
    if !below.is_empty() {
        let ids = below.iter().map(u32::to_string);
        let _already_gone = Command::new("kill").arg("-KILL").args(ids).status();
    }
    let _reaped = child.wait();
    let killed = clock::now();
    while below.iter().any(|process| is_running(*process)) && killed.elapsed() < DYING {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether the process exists and is more than an entry that its parent has not collected.
fn is_running(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, state)| !state.starts_with(" Z"))
}

/// Every living process below `ancestor`, parents before their children.
fn below(ancestor: u32) -> Vec<u32> {
    let parents = processes_and_parents();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        next += 1;
    }
    found.split_off(1)
}

fn processes_and_parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id| Some((id, parent_of(id)?))).collect()
}

/// proc(5): `pid (name) state ppid …`, where the name may hold anything, parentheses too.
fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_grandchild_is_ended_with_its_parent() {
        let mut child = Command::new("sh").args(["-c", "sleep 600 & wait"]).spawn().unwrap();
        let started = clock::now();
        let mut tree = below(child.id());
        while tree.is_empty() && started.elapsed().as_secs() < 10 {
            std::thread::yield_now();
            tree = below(child.id());
        }
        assert_eq!(tree.len(), 1, "the shell started one process");
        end(&mut child);
        assert!(!tree.iter().any(|process| is_running(*process)));
    }
}
