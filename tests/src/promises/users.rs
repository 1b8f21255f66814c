//! Users after a restart.

use super::Answer;
use super::sessions::unexpected;
use crate::client::Client;
use crate::load::{Extent, Worker};
use std::thread;
use std::time::Duration;

const TRIES: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

impl Worker {
    /// Users log in with their password, or with the one that perhaps took its place, and not with both.
    ///
    /// # Errors
    /// What was promised and does not hold.
    pub(crate) fn check_users(&mut self, client: Client, extent: Extent) -> Result<(), String> {
        let extent = if extent == Extent::All { extent } else { Extent::Touched { others: 0 } }; // a hash each
        for number in extent.chosen(&self.promises.users, |user| user.touched, &mut self.dice) {
            let user = &mut self.promises.users[number];
            user.touched = false;
            let (name, password, perhaps) = (user.name.clone(), user.password.clone(), user.perhaps.take());
            let known = self.login(client, number, &password);
            let other = perhaps.as_ref().map(|other| self.login(client, number, other));
            let (holds, answer) = match (known, other) {
                (answer @ Answer::Done(_), None) => (password, answer),
                (answer @ Answer::Done(_), Some(Answer::Refused(reply))) if reply.status == 401 => (password, answer),
                (Answer::Refused(reply), Some(answer @ Answer::Done(_))) if reply.status == 401 => {
                    (perhaps.unwrap_or_default(), answer)
                }
                (answer, _) => return Err(unexpected(&format!("the login of {name}"), &answer)),
            };
            self.promises.users[number].password = holds;
            if let Answer::Done(reply) = answer {
                self.logged_in(number, &reply.body);
            }
        }
        Ok(())
    }

    /// Logs in, again where others had all the places at that moment (`login_busy`).
    fn login(&self, client: Client, number: usize, password: &str) -> Answer {
        for _ in 0..TRIES {
            match self.try_login(client, number, password) {
                Answer::Silence => thread::sleep(BETWEEN_TRIES),
                answer => return answer,
            }
        }
        Answer::Silence
    }
}
